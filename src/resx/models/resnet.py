"""ResNet and its plain twin (He et al. 2015, arXiv:1512.03385)."""

from torch import nn

from resx.models.parts.blocks import (
    BasicBlock,
    Bottleneck,
    PlainBlock,
    PlainBottleneck,
    zero_last_norms,
)
from resx.models.parts.layers import SHORTCUTS
from resx.models.parts.naming import whose_names
from resx.models.parts.network import ForeignNames, Network, Spec
from resx.models.parts.options import at_least_one, below_one, one_of
from resx.models.parts.skeleton import (
    choose_block,
    make_head,
    make_stem,
    small_stem,
    stack,
    title,
)
from resx.models.parts.stages import BASIC, BOTTLENECK, EXPANSION, choose_layout

DEPTHS = {"basic": BASIC, "bottleneck": BOTTLENECK}
BLOCKS: dict[str, tuple[type[nn.Module], type[nn.Module]]] = {
    "basic": (PlainBlock, BasicBlock),
    "bottleneck": (PlainBottleneck, Bottleneck),
}
WIDTH = {"cifar": 16, "imagenet": 64}  # channels of the first stage
SHORTCUT = {"cifar": "A", "imagenet": "B"}


def resnet(
    spec: Spec,
    shortcut: str | None = None,
    width: int | None = None,
    stride_in: str = "1x1",
    zero_init_last: bool = False,
    drop_path: float | None = None,
    norm: str = "batch",
) -> Network:
    """6n + 2 layers for CIFAR (9n + 2 with bottlenecks), or the ImageNet nets of Table 1."""
    layout = choose_layout(spec, DEPTHS)
    shortcut = shortcut or SHORTCUT[layout.name]
    refuse(spec, shortcut, width, zero_init_last, drop_path, norm)
    width = width or WIDTH[layout.name]
    plain, residual, expansion = *BLOCKS[spec.block], EXPANSION[spec.block]
    place = {"stride_in": stride_in} if spec.block == "bottleneck" else {}
    block = choose_block(spec, plain, residual, shortcut, norm=norm, **place)
    stages, rate, count = layout.stages(width), drop_path or 0.0, sum(layout.blocks)
    # Block l of L is left out with probability rate * l / L (Huang 2016, Sec. 3).
    rates = [{"drop_path": rate * number / count} for number in range(1, count + 1)]
    stem = make_stem(layout, spec.in_channels, width, norm)
    head = make_head(stages[-1].channels * expansion, spec.num_classes)
    label = title(
        spec,
        f"ResNet-{spec.depth}" if spec.residual else f"{spec.depth}",  # plain-20
        f"{layout.name} layout",
        spec.block,
        spec.residual and f"shortcut {shortcut}",
        small_stem(layout),
        width != WIDTH[layout.name] and f"width {width}",
        norm != "batch" and f"norm {norm}",
        rate > 0 and f"drop path {rate}",
    )
    names, absent = foreign_names(spec, layout.name, shortcut, width, stride_in, norm)
    parts = stack(stem, block, stages, head, width, expansion, rates)
    network = Network(parts, label, names, absent)
    if zero_init_last:
        zero_last_norms(network)
    return network


def refuse(
    spec: Spec,
    shortcut: str,
    width: int | None,
    zero_init_last: bool,
    drop_path: float | None,
    norm: str,
) -> None:
    """Raises ValueError for an option that does not exist, alone or beside the others."""
    one_of("shortcut", shortcut, SHORTCUTS)  # in a plain net too: its twin has it
    at_least_one(width=width)
    below_one(drop_path=drop_path)
    if drop_path and not spec.residual:
        raise ValueError(f"drop_path={drop_path}: needs residual=true")
    if zero_init_last and not (spec.residual and norm == "batch"):
        raise ValueError("zero_init_last=true: needs residual=true and norm=batch")


def foreign_names(
    spec: Spec, layout: str, shortcut: str, width: int, stride_in: str, norm: str
) -> tuple[ForeignNames, dict[str, str]]:
    """Whose networks these are, or why they are not: the function must be the same, too."""
    residual = (spec.residual, "a plain net has none of its shortcuts")
    batch_norm = (norm == "batch", "its networks have batch norm")
    # torchvision moved the stride of a bottleneck into its 3x3 convolution.
    stride = spec.block == "basic" or stride_in == "3x3"
    return whose_names(
        torchvision=(
            (layout == "imagenet", "it has no net of the CIFAR layout"),
            residual,
            batch_norm,
            (shortcut == "B", f"its shortcuts are of type B, not {shortcut}"),
            (width == 64, f"its first stage has 64 channels, not {width}"),
            (stride, "its bottlenecks have their stride in the 3x3: model.stride_in=3x3"),
        ),
        akamaster=(
            (layout == "cifar", "it has the CIFAR layout alone"),
            residual,
            batch_norm,
            (spec.block == "basic", f"it has no {spec.block} blocks"),
            (shortcut != "C", "its shortcuts are of type A or B"),
        ),
    )
