"""The blocks that end in a ReLU: of ResNet, wide ResNet and ResNeXt, and their plain twins."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from resx.models.parts.layers import conv1x1, conv3x3, make_norm, make_shortcut, stochastic_depth
from resx.models.parts.network import Network
from resx.models.parts.options import one_of
from resx.models.parts.stages import EXPANSION


class PlainBlock(nn.Module):
    """relu(F(x)), where F is two 3x3 convolutions.

    (N, in_channels, H, W) -> (N, channels, H / stride, W / stride)
    """

    expansion = EXPANSION["basic"]

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int,
        norm: str = "batch",
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        bias = norm == "none"  # batch norm subtracts the mean, and with it any bias
        self.branch = nn.Sequential(
            conv3x3(in_channels, channels, stride, bias),
            make_norm(norm, channels),
            nn.ReLU(inplace=True),
            conv3x3(channels, channels, bias=bias),
            make_norm(norm, channels),
            *stochastic_depth(drop_path),
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.branch(x))


class BasicBlock(PlainBlock):
    """relu(shortcut(x) + F(x)): the plain block and one addition (He 2015, Eq. 1 and 2)."""

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int,
        shortcut: str,
        norm: str = "batch",
        drop_path: float = 0.0,
    ) -> None:
        super().__init__(in_channels, channels, stride, norm, drop_path)
        self.shortcut = make_shortcut(shortcut, in_channels, channels, stride, norm)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.shortcut(x) + self.branch(x))


class PlainBottleneck(nn.Module):
    """relu(F(x)), where F is 1x1, 3x3 and 1x1 convolutions (He 2015, Fig. 5).

    (N, in_channels, H, W) -> (N, 4 * channels, H / stride, W / stride)

    The stride is in the first 1x1 (the paper's released models) or in the 3x3 (torchvision's). The
    3x3 has channels * base_width / 64 * cardinality channels in `cardinality` groups: 1 and 64 for
    a ResNet, 1 and 128 for a wide one, 32 and 4 for ResNeXt-50 (Xie 2017, Table 1).
    """

    expansion = EXPANSION["bottleneck"]

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int,
        stride_in: str = "1x1",
        norm: str = "batch",
        cardinality: int = 1,
        base_width: int = 64,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        one_of("stride_in", stride_in, ("1x1", "3x3"))
        first, second = (stride, 1) if stride_in == "1x1" else (1, stride)
        bias = norm == "none"
        # Divided first: the width of a group is a whole number, as in torchvision.
        inner = channels * base_width // 64 * cardinality
        self.branch = nn.Sequential(
            conv1x1(in_channels, inner, first, bias),
            make_norm(norm, inner),
            nn.ReLU(inplace=True),
            conv3x3(inner, inner, second, bias, groups=cardinality),
            make_norm(norm, inner),
            nn.ReLU(inplace=True),
            conv1x1(inner, self.expansion * channels, bias=bias),
            make_norm(norm, self.expansion * channels),
            *stochastic_depth(drop_path),
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
        norm: str = "batch",
        **options: Any,
    ) -> None:
        super().__init__(in_channels, channels, stride, norm=norm, **options)
        out_channels = self.expansion * channels
        self.shortcut = make_shortcut(shortcut, in_channels, out_channels, stride, norm)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.shortcut(x) + self.branch(x))


def zero_last_norms(network: Network) -> None:
    """Start every block as its shortcut: the last BN of its branch has gain 0 (Goyal 2017, 5.1)."""
    for _, block in network.blocks():
        assert isinstance(block.branch, nn.Module)
        *_, last = (m for m in block.branch.children() if isinstance(m, nn.BatchNorm2d))
        nn.init.zeros_(last.weight)
