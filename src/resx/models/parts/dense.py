"""Dense layers, and the chain of the same layers (Huang et al. 2017, arXiv:1608.06993)."""

from bisect import bisect_left
from collections.abc import Callable

import torch
from torch import Tensor, nn

from resx.models.parts.complexity import parameters
from resx.models.parts.layers import conv1x1, conv3x3
from resx.models.parts.network import Network

WIDEST = 4096  # channels of a chain; a DenseNet-161 needs a tenth of it


class ChainLayer(nn.Module):
    """F(x): BN, ReLU, 3x3 convolution; a bottleneck has BN, ReLU, 1x1 to 4 `growth` before them.

    (N, channels, H, W) -> (N, growth, H, W)
    """

    def __init__(self, channels: int, growth: int, block: str, dropout: float) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        if block == "bottleneck":
            layers += [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
            layers += [conv1x1(channels, 4 * growth)]
            channels = 4 * growth
        layers += [nn.BatchNorm2d(channels), nn.ReLU(inplace=True), conv3x3(channels, growth)]
        layers += [nn.Dropout(dropout)] if dropout else []
        self.branch = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x)


class DenseLayer(ChainLayer):
    """[x, F(x)]: what a layer adds stands beside all that came before (Eq. 2).

    (N, channels, H, W) -> (N, channels + growth, H, W)
    """

    def __init__(self, channels: int, growth: int, block: str, dropout: float) -> None:
        super().__init__(channels, growth, block, dropout)
        self.shortcut = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat((self.shortcut(x), self.branch(x)), 1)


def transition(channels: int, smaller: int) -> nn.Sequential:
    """(N, channels, H, W) -> (N, smaller, H / 2, W / 2)."""
    norm = (nn.BatchNorm2d(channels), nn.ReLU(inplace=True))
    return nn.Sequential(*norm, conv1x1(channels, smaller), nn.AvgPool2d(2))


def nearest_width(build: Callable[[int], Network], wanted: int) -> int:
    """The width whose chain has the number of parameters nearest to `wanted`.

    Every weight of a chain joins the width to itself or to a constant, so the number of parameters
    is a quadratic function of the width, and three chains give it (Newton's differences).
    """
    with torch.device("meta"):
        one, two, three = (parameters(build(width)) for width in (1, 2, 3))

    def size(width: int) -> int:
        bend = (three - 2 * two + one) * (width - 1) * (width - 2) // 2
        return one + (two - one) * (width - 1) + bend

    above = bisect_left(range(WIDEST), wanted, lo=1, key=size)
    return min((w for w in (above - 1, above) if w), key=lambda w: abs(size(w) - wanted))
