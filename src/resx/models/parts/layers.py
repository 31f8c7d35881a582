"""The layers that families share: convolutions, normalisation, shortcuts, gates, positions."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resx.models.parts.options import one_of

SHORTCUTS = ("A", "B", "C")


def conv3x3(
    in_channels: int, out_channels: int, stride: int = 1, bias: bool = False, groups: int = 1
) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=bias, groups=groups)


def conv1x1(in_channels: int, out_channels: int, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 1, stride, bias=bias)


def make_norm(norm: str, channels: int) -> nn.Module:
    """`batch`, or `none`: the identity, so that twins with and without share their names."""
    one_of("norm", norm, ("batch", "none"))
    return nn.BatchNorm2d(channels) if norm == "batch" else nn.Identity()


def stochastic_depth(rate: float) -> list[nn.Module]:
    """The end of a branch that is left out with probability `rate` while training.

    Huang 2016, arXiv:1603.09382, Sec. 3; as torchvision has it, for each image anew instead of
    each batch, and scaled while training instead of testing.
    """
    # A rate of 0 leaves no layer behind, as a network with one draws random numbers at every step.
    if not rate:
        return []
    from torchvision.ops import StochasticDepth  # with all of torchvision: half a second

    return [StochasticDepth(rate, "row")]


def draws_numbers(module: nn.Module) -> bool:
    """Whether a layer draws random numbers while it trains."""
    torchs = (nn.modules.dropout._DropoutNd, nn.RReLU)
    return isinstance(module, torchs) or type(module).__name__ == "StochasticDepth"


def may_draw(module: nn.Module) -> bool:
    """The same, and of a layer from outside it is not known."""
    ours = type(module).__module__.startswith(("torch.", "torchvision.", "resx."))
    return draws_numbers(module) or not ours


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
    option: str,
    in_channels: int,
    out_channels: int,
    stride: int,
    norm: str = "batch",
    normalized: bool = False,
) -> nn.Module:
    """A: zero-padding; B: projection where the shape changes; C: projection everywhere.

    He 2015, Sec. 3.3 and 4.1. `normalized` says that the input is normalised already: a projection
    then is its convolution alone. Raises ValueError for another option.
    """
    one_of("shortcut", option, SHORTCUTS)
    same_shape = stride == 1 and in_channels == out_channels
    if same_shape and option != "C":
        return nn.Identity()
    if option == "A":
        return ZeroPadShortcut(out_channels - in_channels, stride)
    if normalized:
        return conv1x1(in_channels, out_channels, stride)
    convolution = conv1x1(in_channels, out_channels, stride, bias=norm == "none")
    return nn.Sequential(convolution, make_norm(norm, out_channels))


class Gate(nn.Module):
    """sigmoid(W x + b), a share for every element; b starts at `bias`.

    (N, in_channels, H, W) -> (N, channels, H / stride, W / stride), in (0, 1)
    """

    def __init__(
        self, in_channels: int, channels: int, kernel: int, stride: int, bias: float
    ) -> None:
        super().__init__()
        self.weighted = nn.Conv2d(
            in_channels, channels, kernel, stride, padding=kernel // 2, bias=False
        )
        # Beside the convolution, whose own bias would start at 0 like every other.
        self.bias = nn.Parameter(torch.full((channels, 1, 1), float(bias)))
        self.first_bias = float(bias)

    def initialize(self, generator: torch.Generator) -> None:
        nn.init.constant_(self.bias, self.first_bias)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.weighted(x) + self.bias)


class Positions(nn.Module):
    """Adds a learned vector to every token: (N, tokens, channels) -> the same."""

    def __init__(self, tokens: int, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, tokens, channels))

    def initialize(self, generator: torch.Generator) -> None:
        """Normal with standard deviation 0.02 (Dosovitskiy 2021, the paper's code)."""
        self.weight.normal_(0.0, 0.02, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.weight
