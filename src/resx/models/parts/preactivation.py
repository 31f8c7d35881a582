"""The blocks of pre-activation nets: orders, scaled and gated shortcuts (He 2016, 1603.05027)."""

from collections import OrderedDict
from typing import Any

from torch import Tensor, nn

from resx.models.parts.layers import Gate, conv1x1, conv3x3, make_shortcut
from resx.models.parts.stages import EXPANSION

# Table 2 and Fig. 4. In the first three orders convolution, BN and ReLU repeat, and the number
# says how many of the last layers the addition comes before: of ResNet's order the ReLU alone,
# with `bn_after` the BN too, with `relu_before` nothing, so that the branch ends in a ReLU and
# can only add. In the other two the activation comes before the weights.
AFTER = {"original": 1, "bn_after": 2, "relu_before": 0}  # convolution, BN, ReLU
BEFORE = ("relu_only", "full")  # ReLU, convolution, BN; BN, ReLU, convolution
ORDERS = (*AFTER, *BEFORE)


def ordered(
    convolutions: list[nn.Conv2d], order: str, dropout: float = 0.0
) -> tuple[list[nn.Module], list[nn.Module]]:
    """The layers of the branch, and those after the addition, in one of Table 2's five orders.

    With `dropout`, the order `full` drops out between the convolutions (Zagoruyko 2016, Sec. 2.4).
    """
    layers: list[nn.Module] = []
    for convolution in convolutions:
        if order == "full":
            norm = nn.BatchNorm2d(convolution.in_channels)
            relu: nn.Module = nn.ReLU(inplace=True)
            if dropout and convolution is convolutions[-1]:
                # Inside the ReLU's place: weights keep their names with and without dropout.
                relu = nn.Sequential(relu, nn.Dropout(dropout))
            layers += [norm, relu, convolution]
        else:
            norm = nn.BatchNorm2d(convolution.out_channels)
            # With `relu_only` the first ReLU reads the block's input, which the shortcut reads
            # too: in place it would change both.
            relu = nn.ReLU(inplace=order != "relu_only")
            layers += [relu, convolution, norm] if order in BEFORE else [convolution, norm, relu]
    end = len(layers) - AFTER.get(order, 0)
    return layers[:end], layers[end:]


def last_activation(order: str, channels: int) -> list[nn.Module]:
    """What the head does first: the blocks of these orders leave their sum without activation."""
    if order == "full":
        return [nn.BatchNorm2d(channels), nn.ReLU()]
    return [nn.ReLU()] if order == "relu_only" else []


class PlainPreActBlock(nn.Module):
    """after(F(before(x))): two or three convolutions and their activations, in a given order.

    (N, in_channels, H, W) -> (N, expansion * channels, H / stride, W / stride)

    In the order `full`, `before` holds the first BN and ReLU of blocks that change shape: there
    the paper's own code lets the shortcut start from the activated input, too. `activated` says
    that the input is activated already: the stem does so for the first block (Sec. 5, Appendix).
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
        self.expansion = EXPANSION[block]
        if block == "basic":
            convolutions = [conv3x3(in_channels, channels, stride), conv3x3(channels, channels)]
        else:
            convolutions = [conv1x1(in_channels, channels, stride), conv3x3(channels, channels)]
            convolutions += [conv1x1(channels, 4 * channels)]
        branch, after = ordered(convolutions, order, dropout)
        reshapes = stride > 1 or in_channels != self.expansion * channels
        # The shortcut then starts from an input that is normalised, here or by the stem.
        self.normalized = order == "full" and (reshapes or activated)
        start = 2 if self.normalized else 0
        # Layers keep their number in the whole order: a weight is called alike in every block,
        # and what is called alike starts alike. The stored state of an optimizer goes by the order
        # in which parameters are registered, so `before` stays last.
        numbered = OrderedDict((str(i), layer) for i, layer in enumerate(branch) if i >= start)
        self.branch = nn.Sequential(numbered)
        self.after = nn.Sequential(*after)
        self.before = nn.Sequential(*([] if activated else branch[:start]))

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.branch(self.before(x)))


class PreActBlock(PlainPreActBlock):
    """after(shortcut(x) + F(x)), x = before(input); He 2016, Eq. 1 and 2."""

    def __init__(
        self, in_channels: int, channels: int, stride: int, shortcut: str, **options: Any
    ) -> None:
        super().__init__(in_channels, channels, stride, **options)
        out_channels = self.expansion * channels
        self.shortcut = make_shortcut(
            shortcut, in_channels, out_channels, stride, normalized=self.normalized
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.before(x)
        return self.after(self.shortcut(x) + self.branch(x))


class VariantBlock(PreActBlock):
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
        gate_bias: float = 0.0,
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
