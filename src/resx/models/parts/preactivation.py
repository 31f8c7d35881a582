"""The units of pre-activation nets: orders, scaled and gated shortcuts (He 2016, 1603.05027)."""

from typing import Any

from torch import Tensor, nn

from resx.models.parts.layers import Gate, conv1x1, conv3x3, make_shortcut

# Table 2 and Fig. 4: what stands around every convolution, and how much of it the addition delays.
AFTER = {"original": 1, "bn_after": 2, "relu_before": 0}  # convolution, BN, ReLU
BEFORE = ("relu_only", "full")  # ReLU, convolution, BN; BN, ReLU, convolution


def ordered(convolutions: list[nn.Conv2d], order: str) -> tuple[nn.Sequential, nn.Sequential]:
    """The branch, and what follows the addition, in one of the five orders of Table 2."""
    layers: list[nn.Module] = []
    for convolution in convolutions:
        if order == "full":
            norm = nn.BatchNorm2d(convolution.in_channels)
            layers += [norm, nn.ReLU(inplace=True), convolution]
        else:
            norm = nn.BatchNorm2d(convolution.out_channels)
            relu = nn.ReLU(inplace=order != "relu_only")  # a branch must not change its input
            layers += [relu, convolution, norm] if order in BEFORE else [convolution, norm, relu]
    end = len(layers) - AFTER.get(order, 0)
    return nn.Sequential(*layers[:end]), nn.Sequential(*layers[end:])


class PlainUnit(nn.Module):
    """after(F(before(x))): two or three convolutions and their activations, in a given order.

    (N, in_channels, H, W) -> (N, expansion * channels, H / stride, W / stride)

    In the order `full`, `before` holds the first BN and ReLU of units that change shape: there
    the paper's own code lets the shortcut start from the activated input, too. `activated` says
    that the input is activated already: the stem does so for the first unit (Sec. 5, Appendix).
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int,
        block: str = "basic",
        order: str = "full",
        dropout: float = 0.0,
        activated: bool = False,
    ) -> None:
        super().__init__()
        if block == "basic":
            self.expansion = 1
            convolutions = [conv3x3(in_channels, channels, stride), conv3x3(channels, channels)]
        else:
            self.expansion = 4
            convolutions = [conv1x1(in_channels, channels, stride), conv3x3(channels, channels)]
            convolutions += [conv1x1(channels, 4 * channels)]
        self.branch, self.after = ordered(convolutions, order)
        self.before = nn.Sequential()
        changes = stride > 1 or in_channels != self.expansion * channels
        if order == "full" and (changes or activated):
            start, self.branch = self.branch[:2], self.branch[2:]
            self.before = nn.Sequential() if activated else start
        if dropout:  # between the convolutions (Zagoruyko 2016, Sec. 2.4)
            self.branch[-2] = nn.Sequential(self.branch[-2], nn.Dropout(dropout))

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.branch(self.before(x)))


class PreActUnit(PlainUnit):
    """after(shortcut(x) + F(x)), x = before(input); He 2016, Eq. 1 and 2."""

    def __init__(
        self, in_channels: int, channels: int, stride: int, shortcut: str, **options: Any
    ) -> None:
        super().__init__(in_channels, channels, stride, **options)
        self.shortcut = make_shortcut(shortcut, in_channels, self.expansion * channels, stride)
        activated = options.get("order", "full") == "full" and options.get("activated", False)
        if isinstance(self.shortcut, nn.Sequential) and (activated or len(self.before)):
            self.shortcut = self.shortcut[0]  # the convolution alone: its input is normalised

    def forward(self, x: Tensor) -> Tensor:
        x = self.before(x)
        return self.after(self.shortcut(x) + self.branch(x))


class VariantUnit(PreActUnit):
    """a (1 - g(x)) shortcut(x) + b F(x), or with exclusive gating b g(x) F(x) (Sec. 3, Table 1).

    a and b are `shortcut_scale` and `branch_scale`; without a gate, g is 0 and does not touch F.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int,
        shortcut: str,
        gate: str | None = None,
        gate_bias: float = -6.0,
        shortcut_scale: float = 1.0,
        branch_scale: float = 1.0,
        shortcut_dropout: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(in_channels, channels, stride, shortcut, **options)
        self.shortcut_scale, self.branch_scale = shortcut_scale, branch_scale
        self.shortcut_dropout = nn.Dropout(shortcut_dropout)
        self.exclusive = gate == "exclusive"
        out_channels = self.expansion * channels
        self.gate = Gate(in_channels, out_channels, 1, stride, gate_bias) if gate else None

    def forward(self, x: Tensor) -> Tensor:
        x = self.before(x)
        kept = self.shortcut_dropout(self.shortcut(x))
        branch = self.branch(x)
        if self.gate is not None:
            share = self.gate(x)
            kept = (1 - share) * kept
            branch = share * branch if self.exclusive else branch
        return self.after(self.shortcut_scale * kept + self.branch_scale * branch)
