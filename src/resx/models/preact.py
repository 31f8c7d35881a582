"""Pre-activation ResNet and its plain twin (He et al. 2016, arXiv:1603.05027)."""

from typing import Any

from resx.models.parts.layers import SHORTCUTS
from resx.models.parts.network import Network, Spec
from resx.models.parts.options import at_least_one, below_one, one_of
from resx.models.parts.preactivation import (
    ORDERS,
    PlainPreActBlock,
    PreActBlock,
    VariantBlock,
    last_activation,
)
from resx.models.parts.skeleton import choose_block, make_head, make_stem, small_stem, stack, title
from resx.models.parts.stages import BASIC, BOTTLENECK, EXPANSION, choose_layout

DEPTHS = {"basic": BASIC, "bottleneck": BOTTLENECK}
WIDTH = {"cifar": 16, "imagenet": 64}  # channels of the first stage


def preact(
    spec: Spec,
    order: str = "full",
    shortcut: str | None = None,
    width: int | None = None,
    gate: str | None = None,
    gate_bias: float = -6.0,
    shortcut_scale: float = 1.0,
    branch_scale: float = 1.0,
    shortcut_dropout: float = 0.0,
) -> Network:
    """ResNet's depths in one of the five orders of Table 2, with the shortcuts of Table 1."""
    layout = choose_layout(spec, DEPTHS)
    one_of("order", order, ORDERS)
    at_least_one(width=width)
    width = width or WIDTH[layout.name]
    free = layout.name == "cifar" and spec.block == "basic"  # the nets that the paper gives A
    shortcut = shortcut or ("A" if free else "B")
    one_of("shortcut", shortcut, SHORTCUTS)  # in a plain net too: its twin has it
    variation = vary(spec, gate, gate_bias, shortcut_scale, branch_scale, shortcut_dropout)
    residual = VariantBlock if variation else PreActBlock
    options = {"block": spec.block, "order": order, **variation}
    block = choose_block(spec, PlainPreActBlock, residual, shortcut, **options)
    stages, expansion = layout.stages(width), EXPANSION[spec.block]
    stem = make_stem(layout, spec.in_channels, width)  # it activates for the first block
    channels = stages[-1].channels * expansion
    head = make_head(channels, spec.num_classes, *last_activation(order, channels))
    label = title(
        spec,
        f"PreAct-{spec.depth}",
        f"{layout.name} layout",
        spec.block,
        spec.residual and f"shortcut {shortcut}",
        order != "full" and f"order {order}",
        *(f"{option.replace('_', ' ')} {value}" for option, value in variation.items()),
        small_stem(layout),
        width != WIDTH[layout.name] and f"width {width}",
    )
    return Network(stack(stem, block, stages, head, width, expansion, [{"activated": True}]), label)


def vary(
    spec: Spec,
    gate: str | None,
    gate_bias: float,
    shortcut_scale: float,
    branch_scale: float,
    shortcut_dropout: float,
) -> dict[str, Any]:
    """What makes shortcuts differ from the identity, none of it by default.

    Raises ValueError for a gate or a dropout that does not exist, and for any of it in a plain net.
    """
    one_of("gate", gate, (None, "exclusive", "shortcut_only"))
    below_one(shortcut_dropout=shortcut_dropout)
    scales = {"shortcut_scale": shortcut_scale, "branch_scale": branch_scale}
    variation: dict[str, Any] = {name: scale for name, scale in scales.items() if scale != 1}
    variation |= {"gate": gate, "gate_bias": gate_bias} if gate else {}
    variation |= {"shortcut_dropout": shortcut_dropout} if shortcut_dropout else {}
    if variation and not spec.residual:
        option, value = next(iter(variation.items()))
        raise ValueError(f"{option}={value}: a plain net has no shortcut to vary")
    return variation
