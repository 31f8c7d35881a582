"""The layers that families share: convolutions, normalisation, shortcuts, stem, head, stack."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import StochasticDepth

from resx.config.checks import one_of
from resx.models.parts.stages import SMALL_IMAGE, Stage


def conv3x3(
    in_channels: int, out_channels: int, stride: int = 1, bias: bool = False, groups: int = 1
) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=bias, groups=groups)


def conv1x1(in_channels: int, out_channels: int, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 1, stride, bias=bias)


def make_norm(norm: str, channels: int) -> nn.Module:
    """`batch`, or `none`: the identity, so that twins with and without share their names."""
    one_of("model.norm", norm, ("batch", "none"))
    return nn.BatchNorm2d(channels) if norm == "batch" else nn.Identity()


class ZeroPadShortcut(nn.Module):
    """Option A: every stride-th pixel, new channels zero (He 2015, Sec. 3.3 and 4.1).

    (N, in_channels, H, W) -> (N, in_channels + new_channels, ceil(H / stride), ceil(W / stride))
    """

    def __init__(self, new_channels: int, stride: int) -> None:
        super().__init__()
        self.new_channels, self.stride = new_channels, stride

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, 0, self.new_channels))


class Gate(nn.Module):
    """sigmoid(W x + b), a share for every element; b starts at `bias`.

    (N, in_channels, H, W) -> (N, channels, H / stride, W / stride), in (0, 1)
    """

    def __init__(self, in_channels: int, channels: int, kernel: int, stride: int, bias: float):
        super().__init__()
        self.weighted = nn.Conv2d(
            in_channels, channels, kernel, stride, padding=kernel // 2, bias=False
        )
        self.bias = nn.Parameter(torch.full((channels, 1, 1), float(bias)))

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.weighted(x) + self.bias)


def make_shortcut(
    option: str, in_channels: int, out_channels: int, stride: int, norm: str = "batch"
) -> nn.Module:
    """A: zero-padding; B: projection where the shape changes; C: projection everywhere.

    He 2015, Sec. 3.3 and 4.1. Raises `RequestError` for another option.
    """
    one_of("model.shortcut", option, ("A", "B", "C"))
    same_shape = stride == 1 and in_channels == out_channels
    if same_shape and option != "C":
        return nn.Identity()
    if option == "A":
        return ZeroPadShortcut(out_channels - in_channels, stride)
    convolution = conv1x1(in_channels, out_channels, stride, bias=norm == "none")
    return nn.Sequential(convolution, make_norm(norm, out_channels))


def make_stem(
    layout: str, in_channels: int, width: int, image_size: int, norm: str = "batch"
) -> nn.Sequential:
    """(N, in_channels, H, W) -> (N, width, H, W) for CIFAR: one 3x3 convolution.

    ImageNet: 7x7 with stride 2, then 3x3 max pooling with stride 2 (He 2015, Table 1), so H / 4.
    Images below 64 pixels keep the CIFAR stem there too: nothing would be left of them.
    """
    bias = norm == "none"
    if layout == "cifar" or image_size < SMALL_IMAGE:
        convolution = conv3x3(in_channels, width, bias=bias)
        return nn.Sequential(convolution, make_norm(norm, width), nn.ReLU(inplace=True))
    convolution = nn.Conv2d(in_channels, width, 7, stride=2, padding=3, bias=bias)
    pool = nn.MaxPool2d(3, stride=2, padding=1)
    return nn.Sequential(convolution, make_norm(norm, width), nn.ReLU(inplace=True), pool)


def make_head(channels: int, num_classes: int) -> nn.Sequential:
    """Global average pooling and one linear layer: (N, channels, H, W) -> (N, num_classes)."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes))


ForeignNames = Mapping[str, Callable[[str], str]]


class Network(nn.Sequential):
    """stem, stage1, stage2, .., head.

    (N, in_channels, H, W) -> logits (N, num_classes)

    `title` names the net as tables do; `foreign` has, by the name of another project, what that
    project calls a weight of ours. Every block of a stage has a `branch`, and a `shortcut` if it
    is residual.
    """

    title: str = ""
    foreign: ForeignNames = MappingProxyType({})


def title(name: str, residual: bool, *details: str | bool) -> str:
    """`plain-WRN-16-4 (cifar layout, basic)`; a detail that is False is not told."""
    told = ", ".join(detail for detail in details if isinstance(detail, str))
    return f"{'' if residual else 'plain-'}{name} ({told})"


def small_stem(layout: str, image_size: int) -> str | bool:
    """A detail for the title of a net of the ImageNet layout whose images are too small for it."""
    return layout == "imagenet" and image_size < SMALL_IMAGE and "small-image stem"


def stack(
    stem: nn.Module,
    block: Callable[[int, int, int], nn.Module],
    stages: Sequence[Stage],
    head: nn.Module,
    in_channels: int,
    expansion: int = 1,
) -> Network:
    """Stages between stem and head; `block(in_channels, channels, stride)` makes each block."""
    parts: OrderedDict[str, nn.Module] = OrderedDict(stem=stem)
    for number, stage in enumerate(stages, start=1):
        blocks = []
        for i in range(stage.blocks):
            blocks.append(block(in_channels, stage.channels, stage.stride if i == 0 else 1))
            in_channels = stage.channels * expansion
        parts[f"stage{number}"] = nn.Sequential(*blocks)
    parts["head"] = head
    return Network(parts)


def drop_paths(network: Network, rate: float) -> None:
    """Stochastic depth: branch l of L is left out with probability rate * l / L while training.

    Huang 2016, arXiv:1603.09382, Sec. 3; as torchvision has it, for each image anew instead of
    each batch, and scaled while training instead of testing.
    """
    branches = [m.branch for m in network.modules() if hasattr(m, "shortcut")]
    for number, branch in enumerate(branches, start=1):
        assert isinstance(branch, nn.Sequential)
        branch.append(StochasticDepth(rate * number / len(branches), "row"))


class Positions(nn.Module):
    """Adds a learned vector to every token: (N, tokens, channels) -> the same."""

    def __init__(self, tokens: int, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, tokens, channels))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.weight
