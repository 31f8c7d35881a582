"""ResNet and its plain twin (He et al. 2015, arXiv:1512.03385)."""

from functools import partial
from typing import Any

from torch import nn

from resx.config.checks import at_least, one_of
from resx.errors import RequestError
from resx.models.parts.blocks import BasicBlock, Bottleneck, PlainBlock, PlainBottleneck
from resx.models.parts.foreign import resnet_names
from resx.models.parts.layers import (
    Network,
    drop_paths,
    make_head,
    make_shortcut,
    make_stem,
    small_stem,
    stack,
    title,
)
from resx.models.parts.stages import (
    BASIC,
    BOTTLENECK,
    Depths,
    choose_layout,
    stages_of,
)

BLOCKS: dict[str, tuple[Any, Any, Depths]] = {
    "basic": (PlainBlock, BasicBlock, BASIC),
    "bottleneck": (PlainBottleneck, Bottleneck, BOTTLENECK),
}
WIDTHS = {"cifar": 16, "imagenet": 64}
SHORTCUTS = {"cifar": "A", "imagenet": "B"}


def resnet(
    depth: int,
    residual: bool,
    block: str,
    layout: str,
    num_classes: int,
    in_channels: int = 3,
    image_size: int = 32,
    shortcut: str | None = None,
    width: int | None = None,
    stride_in: str = "1x1",
    zero_init_last: bool = False,
    drop_path: float | None = None,
    norm: str = "batch",
) -> Network:
    """The net of `depth` weighted layers; `residual=False` is its plain twin.

    `shortcut` is A in the CIFAR layout and B in the ImageNet one unless given, `width` (channels
    of the first stage) 16 and 64. Raises `RequestError` for a depth or option that does not exist.
    """
    refuse_options(block, residual, norm, width, zero_init_last, drop_path)
    plain_block, residual_block, depths = BLOCKS[block]
    layout = choose_layout(layout, depth, depths, image_size)
    width = width or WIDTHS[layout]
    shortcut = shortcut or SHORTCUTS[layout]
    make_shortcut(shortcut, 1, 1, 1)  # refuses a wrong option in the plain net too
    options = {"norm": norm} if block == "basic" else {"norm": norm, "stride_in": stride_in}
    make_block = (
        partial(residual_block, shortcut=shortcut, **options)
        if residual
        else partial(plain_block, **options)
    )
    stages = stages_of(layout, depth, width, depths)
    stem = make_stem(layout, in_channels, width, image_size, norm)
    head = make_head(stages[-1].channels * plain_block.expansion, num_classes)
    network = stack(stem, make_block, stages, head, width, plain_block.expansion)
    if zero_init_last:
        zero_last_norms(network)
    if drop_path:
        drop_paths(network, drop_path)
    network.title = title(
        f"{'ResNet' if residual else 'plain'}-{depth}",
        True,
        f"{layout} layout",
        block,
        residual and f"shortcut {shortcut}",
        small_stem(layout, image_size),
        width != WIDTHS[layout] and f"width {width}",
        norm != "batch" and f"norm {norm}",
        bool(drop_path) and f"drop path {drop_path}",
    )
    if residual and norm == "batch":
        torchvisions = layout == "imagenet" and shortcut == "B" and width == 64
        if torchvisions and (block == "basic" or stride_in == "3x3"):
            network.foreign = resnet_names("torchvision")
        elif layout == "cifar" and block == "basic" and shortcut != "C":
            network.foreign = resnet_names("akamaster")
    return network


def refuse_options(
    block: str,
    residual: bool,
    norm: str,
    width: int | None,
    zero_init_last: bool,
    drop_path: float | None,
) -> None:
    one_of("block", block, BLOCKS)
    if zero_init_last and not (residual and norm == "batch"):
        raise RequestError("model.zero_init_last=true: needs residual=true and model.norm=batch")
    if drop_path is not None and not 0 <= drop_path < 1:
        raise RequestError(f"model.drop_path={drop_path}: must be in [0, 1)")
    if drop_path and not residual:
        raise RequestError(f"model.drop_path={drop_path}: needs residual=true")
    if width is not None:
        at_least("model.width", width, 1)


def zero_last_norms(network: nn.Module) -> None:
    """Start every block as its shortcut: the last BN of its branch has gain 0 (Goyal 2017, 5.1)."""
    for module in network.modules():
        if isinstance(module, PlainBlock | PlainBottleneck):
            last = module.branch[-1]
            assert isinstance(last, nn.BatchNorm2d)
            nn.init.zeros_(last.weight)
