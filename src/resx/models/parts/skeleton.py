"""What all convolutional families share around their blocks: stem, stages, head, title."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain, repeat
from typing import Any

from torch import nn

from resx.models.parts.layers import conv3x3, make_norm
from resx.models.parts.network import Spec
from resx.models.parts.stages import Layout, Stage


def make_stem(layout: Layout, in_channels: int, width: int, norm: str = "batch") -> nn.Sequential:
    """(N, in_channels, H, W) -> (N, width, H, W) for CIFAR: one 3x3 convolution.

    ImageNet: 7x7 with stride 2, then 3x3 max pooling with stride 2 (He 2015, Table 1), so H / 4.
    Images below 64 pixels keep the CIFAR stem there too: nothing would be left of them.
    """
    bias = norm == "none"
    if layout.name == "cifar" or layout.small_stem:
        convolution = conv3x3(in_channels, width, bias=bias)
        return nn.Sequential(convolution, make_norm(norm, width), nn.ReLU(inplace=True))
    convolution = nn.Conv2d(in_channels, width, 7, stride=2, padding=3, bias=bias)
    pool = nn.MaxPool2d(3, stride=2, padding=1)
    return nn.Sequential(convolution, make_norm(norm, width), nn.ReLU(inplace=True), pool)


def make_head(channels: int, num_classes: int, *activation: nn.Module) -> nn.Sequential:
    """Global average pooling and one linear layer: (N, channels, H, W) -> (N, num_classes).

    `activation` comes first, where the blocks leave it to the head.
    """
    linear = nn.Linear(channels, num_classes)
    return nn.Sequential(*activation, nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear)


def choose_block(
    spec: Spec,
    plain: type[nn.Module],
    residual: type[nn.Module],
    shortcut: str,
    **options: Any,
) -> Callable[..., nn.Module]:
    """The residual block, or for the plain twin the same block without its shortcut."""
    if spec.residual:
        return partial(residual, shortcut=shortcut, **options)
    return partial(plain, **options)


def stack(
    stem: nn.Module,
    block: Callable[..., nn.Module],
    stages: Sequence[Stage],
    head: nn.Module,
    in_channels: int,
    expansion: int = 1,
    varying: Iterable[dict[str, Any]] = (),
) -> dict[str, nn.Module]:
    """The parts of a network: stages between stem and head.

    `block(in_channels, channels, stride)` makes each block, from the first on with the further
    options that `varying` has for it: what sets single blocks apart.
    """
    parts = {"stem": stem}
    further = chain(varying, repeat({}))
    for number, stage in enumerate(stages, start=1):
        blocks = []
        for i in range(stage.blocks):
            stride = stage.stride if i == 0 else 1
            blocks.append(block(in_channels, stage.channels, stride, **next(further)))
            in_channels = stage.channels * expansion
        parts[f"stage{number}"] = nn.Sequential(*blocks)
    parts["head"] = head
    return parts


def title(spec: Spec, name: str, *details: str | bool | None) -> str:
    """`plain-WRN-16-4 (cifar layout, basic)`. Details that are not a string are omitted."""
    shown = ", ".join(detail for detail in details if isinstance(detail, str))
    return f"{'' if spec.residual else 'plain-'}{name} ({shown})"


def small_stem(layout: Layout) -> str | bool:
    """The title's detail for the ImageNet table behind a stem for small images."""
    return layout.small_stem and "small-image stem"
