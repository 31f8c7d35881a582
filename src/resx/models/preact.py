"""ResNet with identity mappings: activation orders and shortcut variants (He 2016, 1603.05027)."""

from functools import partial
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from resx.models.layers import (
    Gate,
    Network,
    conv1x1,
    conv3x3,
    make_head,
    make_shortcut,
    make_stem,
    stack,
)
from resx.models.stages import (
    BASIC,
    BOTTLENECK,
    SMALL_IMAGE,
    Stage,
    choose_layout,
    cifar_stages,
    imagenet_stages,
)
from resx.request import RequestError, one_of

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
        if options.get("order", "full") == "full" and isinstance(self.shortcut, nn.Sequential):
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
        self.shortcut_dropout, self.exclusive = shortcut_dropout, gate == "exclusive"
        out_channels = self.expansion * channels
        self.gate = Gate(in_channels, out_channels, 1, stride, gate_bias) if gate else None

    def forward(self, x: Tensor) -> Tensor:
        x = self.before(x)
        kept = F.dropout(self.shortcut(x), self.shortcut_dropout, self.training)
        branch = self.branch(x)
        if self.gate is not None:
            share = self.gate(x)
            kept = (1 - share) * kept
            branch = share * branch if self.exclusive else branch
        return self.after(self.shortcut_scale * kept + self.branch_scale * branch)


def preact(
    depth: int,
    residual: bool,
    block: str,
    layout: str,
    num_classes: int,
    in_channels: int = 3,
    image_size: int = 32,
    order: str = "full",
    shortcut: str | None = None,
    width: int | None = None,
    gate: str | None = None,
    gate_bias: float = -6.0,
    shortcut_scale: float = 1.0,
    branch_scale: float = 1.0,
    shortcut_dropout: float = 0.0,
) -> Network:
    """The net of `depth` weighted layers; `residual=False` is its plain twin.

    `shortcut` is A for basic blocks in the CIFAR layout and else B unless given. Raises
    `RequestError` for a depth or option that does not exist.
    """
    one_of("block", block, ("basic", "bottleneck"))
    one_of("model.order", order, (*AFTER, *BEFORE))
    one_of("model.gate", gate, (None, "exclusive", "shortcut_only"))
    depths = BASIC if block == "basic" else BOTTLENECK
    layout = choose_layout(layout, depth, depths, image_size)
    width = width or {"cifar": 16, "imagenet": 64}[layout]
    shortcut = shortcut or ("A" if layout == "cifar" and block == "basic" else "B")
    make_shortcut(shortcut, 1, 1, 1)  # refuses a wrong option in the plain net too
    stages = (cifar_stages if layout == "cifar" else imagenet_stages)(depth, width, depths)
    scales = {"shortcut_scale": shortcut_scale, "branch_scale": branch_scale}
    variants: dict[str, Any] = {k: v for k, v in scales.items() if v != 1}
    variants |= {"gate": gate, "gate_bias": gate_bias} if gate else {}
    variants |= {"shortcut_dropout": shortcut_dropout} if shortcut_dropout else {}
    if variants and not residual:
        raise RequestError(f"model.{next(iter(variants))}: a plain net has no shortcut to vary")
    unit: Any = partial(PlainUnit, block=block, order=order)
    if residual:
        kind = VariantUnit if variants else PreActUnit
        unit = partial(kind, block=block, order=order, shortcut=shortcut, **variants)
    stem = make_stem(layout, in_channels, width, image_size)
    network = preact_stack(stem, unit, stages, num_classes, width, block, order)
    details = [f"{layout} layout", block, *([f"shortcut {shortcut}"] if residual else [])]
    details += [f"order {order}"] * (order != "full")
    details += [f"{k.replace('_', ' ')} {v}" for k, v in variants.items()]
    details += ["small-image stem"] * (layout == "imagenet" and image_size < SMALL_IMAGE)
    details += [f"width {width}"] * (width != {"cifar": 16, "imagenet": 64}[layout])
    network.title = f"{'' if residual else 'plain-'}PreAct-{depth} ({', '.join(details)})"
    return network


def preact_stack(
    stem: nn.Module,
    unit: Any,
    stages: tuple[Stage, ...],
    num_classes: int,
    width: int,
    block: str,
    order: str,
) -> Network:
    """Units between a stem that activates and a head that does, where the order asks for it."""
    expansion = 1 if block == "basic" else 4
    channels = stages[-1].channels * expansion
    last: dict[str, list[nn.Module]] = {"relu_only": [nn.ReLU()]}
    last["full"] = [nn.BatchNorm2d(channels), nn.ReLU()]
    head = nn.Sequential(*last.get(order, []), *make_head(channels, num_classes).children())
    network = stack(stem, unit, stages, head, width, expansion)
    first = unit(width, stages[0].channels, stages[0].stride, activated=True)
    network.get_submodule("stage1").register_module("0", first)
    return network
