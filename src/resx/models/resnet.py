"""ResNet and its plain twin (He et al. 2015, arXiv:1512.03385)."""

from functools import partial
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from resx.models.layers import (
    Network,
    conv1x1,
    conv3x3,
    make_head,
    make_norm,
    make_shortcut,
    make_stem,
    stack,
)
from resx.models.stages import SMALL_IMAGE, choose_layout, cifar_stages, imagenet_stages
from resx.request import RequestError


class PlainBlock(nn.Module):
    """relu(F(x)), where F is two 3x3 convolutions.

    (N, in_channels, H, W) -> (N, channels, H / stride, W / stride)
    """

    expansion = 1
    layers = 2

    def __init__(self, in_channels: int, channels: int, stride: int, norm: str = "batch") -> None:
        super().__init__()
        bias = norm == "none"
        self.branch = nn.Sequential(
            conv3x3(in_channels, channels, stride, bias),
            make_norm(norm, channels),
            nn.ReLU(inplace=True),
            conv3x3(channels, channels, bias=bias),
            make_norm(norm, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.branch(x))


class BasicBlock(PlainBlock):
    """relu(shortcut(x) + F(x)): the plain block and one addition (He 2015, Eq. 1 and 2)."""

    def __init__(
        self, in_channels: int, channels: int, stride: int, shortcut: str, norm: str = "batch"
    ) -> None:
        super().__init__(in_channels, channels, stride, norm)
        self.shortcut = make_shortcut(shortcut, in_channels, channels, stride, norm)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.shortcut(x) + self.branch(x))


class PlainBottleneck(nn.Module):
    """relu(F(x)), where F is 1x1, 3x3 and 1x1 convolutions (He 2015, Fig. 5).

    (N, in_channels, H, W) -> (N, 4 * channels, H / stride, W / stride)

    The stride is in the first 1x1 (the paper's released models) or in the 3x3 (torchvision's).
    """

    expansion = 4
    layers = 3

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int,
        stride_in: str = "1x1",
        norm: str = "batch",
    ) -> None:
        super().__init__()
        if stride_in not in ("1x1", "3x3"):
            raise RequestError(f"model.stride_in={stride_in}: must be one of 1x1, 3x3")
        first, second = (stride, 1) if stride_in == "1x1" else (1, stride)
        bias = norm == "none"
        self.branch = nn.Sequential(
            conv1x1(in_channels, channels, first, bias),
            make_norm(norm, channels),
            nn.ReLU(inplace=True),
            conv3x3(channels, channels, second, bias),
            make_norm(norm, channels),
            nn.ReLU(inplace=True),
            conv1x1(channels, self.expansion * channels, bias=bias),
            make_norm(norm, self.expansion * channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.branch(x))


class Bottleneck(PlainBottleneck):
    """relu(shortcut(x) + F(x)), F the bottleneck."""

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int,
        shortcut: str,
        stride_in: str = "1x1",
        norm: str = "batch",
    ) -> None:
        super().__init__(in_channels, channels, stride, stride_in, norm)
        out_channels = self.expansion * channels
        self.shortcut = make_shortcut(shortcut, in_channels, out_channels, stride, norm)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.shortcut(x) + self.branch(x))


BLOCKS: dict[str, tuple[Any, Any]] = {
    "basic": (PlainBlock, BasicBlock),
    "bottleneck": (PlainBottleneck, Bottleneck),
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
    norm: str = "batch",
) -> Network:
    """The net of `depth` weighted layers; `residual=False` is its plain twin.

    `shortcut` is A in the CIFAR layout and B in the ImageNet one unless given, `width` (channels
    of the first stage) 16 and 64. Raises `RequestError` for a depth or option that does not exist.
    """
    refuse_options(block, residual, norm, width, zero_init_last)
    plain_block, residual_block = BLOCKS[block]
    layout = choose_layout(layout, depth, plain_block.layers, image_size)
    width = width or WIDTHS[layout]
    shortcut = shortcut or SHORTCUTS[layout]
    make_shortcut(shortcut, 1, 1, 1)  # refuses a wrong option in the plain net too
    options = {"norm": norm} if block == "basic" else {"norm": norm, "stride_in": stride_in}
    make_block = (
        partial(residual_block, shortcut=shortcut, **options)
        if residual
        else partial(plain_block, **options)
    )
    make_stages = cifar_stages if layout == "cifar" else imagenet_stages
    stages = make_stages(depth, width, plain_block.layers)
    stem = make_stem(layout, in_channels, width, image_size, norm)
    head = make_head(stages[-1].channels * plain_block.expansion, num_classes)
    network = stack(stem, make_block, stages, head, width, plain_block.expansion)
    if zero_init_last:
        zero_last_norms(network)
    small_stem = layout == "imagenet" and image_size < SMALL_IMAGE
    details = [f"{layout} layout", block, *([f"shortcut {shortcut}"] if residual else [])]
    details += ["small-image stem"] * small_stem + [f"width {width}"] * (width != WIDTHS[layout])
    details += [f"norm {norm}"] * (norm != "batch")
    network.title = f"{'ResNet' if residual else 'plain'}-{depth} ({', '.join(details)})"
    return network


def refuse_options(
    block: str, residual: bool, norm: str, width: int | None, zero_init_last: bool
) -> None:
    if block not in BLOCKS:
        raise RequestError(f"block={block}: resnet has {', '.join(BLOCKS)}")
    if zero_init_last and not (residual and norm == "batch"):
        raise RequestError("model.zero_init_last=true: needs residual=true and model.norm=batch")
    if width is not None and width < 1:
        raise RequestError(f"model.width={width}: must be at least 1")


def zero_last_norms(network: nn.Module) -> None:
    """Start every block as its shortcut: the last BN of its branch has gain 0 (Goyal 2017, 5.1)."""
    for module in network.modules():
        if isinstance(module, PlainBlock | PlainBottleneck):
            last = module.branch[-1]
            assert isinstance(last, nn.BatchNorm2d)
            nn.init.zeros_(last.weight)
