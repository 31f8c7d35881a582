"""Pre-activation ResNet and its plain twin (He et al. 2016, arXiv:1603.05027)."""

from functools import partial
from typing import Any

from torch import nn

from resx.config.checks import at_least, one_of
from resx.errors import RequestError
from resx.models.parts.layers import (
    Network,
    make_head,
    make_shortcut,
    make_stem,
    small_stem,
    stack,
    title,
)
from resx.models.parts.preactivation import AFTER, BEFORE, PlainUnit, PreActUnit, VariantUnit
from resx.models.parts.stages import (
    BASIC,
    BOTTLENECK,
    Stage,
    choose_layout,
    stages_of,
)

WIDTHS = {"cifar": 16, "imagenet": 64}


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
    width = WIDTHS[layout] if width is None else width
    at_least("model.width", width, 1)
    shortcut = shortcut or ("A" if layout == "cifar" and block == "basic" else "B")
    make_shortcut(shortcut, 1, 1, 1)  # refuses a wrong option in the plain net too
    stages = stages_of(layout, depth, width, depths)
    scales = {"shortcut_scale": shortcut_scale, "branch_scale": branch_scale}
    variants: dict[str, Any] = {k: v for k, v in scales.items() if v != 1}
    variants |= {"gate": gate, "gate_bias": gate_bias} if gate else {}
    variants |= {"shortcut_dropout": shortcut_dropout} if shortcut_dropout else {}
    if not 0 <= shortcut_dropout < 1:
        raise RequestError(f"model.shortcut_dropout={shortcut_dropout}: must be in [0, 1)")
    if variants and not residual:
        raise RequestError(f"model.{next(iter(variants))}: a plain net has no shortcut to vary")
    unit: Any = partial(PlainUnit, block=block, order=order)
    if residual:
        kind = VariantUnit if variants else PreActUnit
        unit = partial(kind, block=block, order=order, shortcut=shortcut, **variants)
    stem = make_stem(layout, in_channels, width, image_size)
    network = preact_stack(stem, unit, stages, num_classes, width, block, order)
    network.title = title(
        f"PreAct-{depth}",
        residual,
        f"{layout} layout",
        block,
        residual and f"shortcut {shortcut}",
        order != "full" and f"order {order}",
        *(f"{k.replace('_', ' ')} {v}" for k, v in variants.items()),
        small_stem(layout, image_size),
        width != WIDTHS[layout] and f"width {width}",
    )
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
