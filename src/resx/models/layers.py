"""The layers that families share: convolutions, normalisation, shortcuts, stem, head, stack."""

from collections import OrderedDict
from collections.abc import Callable, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from resx.models.stages import SMALL_IMAGE, Stage
from resx.request import RequestError


def conv3x3(in_channels: int, out_channels: int, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=bias)


def conv1x1(in_channels: int, out_channels: int, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 1, stride, bias=bias)


def make_norm(norm: str, channels: int) -> nn.Module:
    """`batch`, or `none`: the identity, so that twins with and without share their names."""
    if norm == "batch":
        return nn.BatchNorm2d(channels)
    if norm == "none":
        return nn.Identity()
    raise RequestError(f"model.norm={norm}: must be one of batch, none")


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


def make_shortcut(
    option: str, in_channels: int, out_channels: int, stride: int, norm: str = "batch"
) -> nn.Module:
    """A: zero-padding; B: projection where the shape changes; C: projection everywhere.

    He 2015, Sec. 3.3 and 4.1. Raises `RequestError` for another option.
    """
    if option not in ("A", "B", "C"):
        raise RequestError(f"model.shortcut={option}: must be one of A, B, C")
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


class Network(nn.Sequential):
    """stem, stage1, stage2, .., head; `title` names the net as tables do.

    (N, in_channels, H, W) -> logits (N, num_classes)
    """

    title: str = ""


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
