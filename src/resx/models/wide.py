"""Wide ResNet: fewer layers, more channels (Zagoruyko and Komodakis 2016, arXiv:1605.07146)."""

from resx.models.parts.blocks import BasicBlock, Bottleneck, PlainBlock, PlainBottleneck
from resx.models.parts.naming import whose_names
from resx.models.parts.network import Network, Spec
from resx.models.parts.options import at_least_one, below_one
from resx.models.parts.preactivation import PlainPreActBlock, PreActBlock, last_activation
from resx.models.parts.skeleton import choose_block, make_head, make_stem, small_stem, stack, title
from resx.models.parts.stages import BASIC, BOTTLENECK, EXPANSION, Depths, Layout, choose_layout

DEPTHS = {
    # 6n + 4 counts convolutions: the first, 6n in the blocks, three projections (Sec. 2.3).
    "basic": Depths((6, 4), BASIC.imagenet),
    "bottleneck": Depths(None, BOTTLENECK.imagenet),
}
WIDENING = {"cifar": 4, "imagenet": 2}


def wide(spec: Spec, widening: int | None = None, dropout: float = 0.0) -> Network:
    """WRN-d-k: d = `depth` layers, k = `widening` times the channels of a ResNet."""
    layout = choose_layout(spec, DEPTHS)
    at_least_one(widening=widening)
    below_one(dropout=dropout)
    if dropout and layout.name == "imagenet":
        raise ValueError(f"dropout={dropout}: only in the cifar layout")
    widening = widening or WIDENING[layout.name]
    label = title(
        spec,
        f"WRN-{spec.depth}-{widening}",
        f"{layout.name} layout",
        spec.block,
        dropout > 0 and f"dropout {dropout}",
        small_stem(layout),
    )
    if layout.name == "cifar":
        return wide_cifar(spec, layout, widening, dropout, label)
    return wide_imagenet(spec, layout, widening, label)


def wide_cifar(spec: Spec, layout: Layout, widening: int, dropout: float, label: str) -> Network:
    """Sec. 2 and Table 1: pre-activation blocks of two 3x3 convolutions, k times as wide."""
    block = choose_block(spec, PlainPreActBlock, PreActBlock, "B", dropout=dropout)
    stages = layout.stages(16 * widening)
    stem = make_stem(layout, spec.in_channels, 16)
    channels = stages[-1].channels
    head = make_head(channels, spec.num_classes, *last_activation("full", channels))
    parts = stack(stem, block, stages, head, 16, varying=[{"activated": True}])
    return Network(parts, label, absent={"torchvision": "it has no net of the CIFAR layout"})


def wide_imagenet(spec: Spec, layout: Layout, widening: int, label: str) -> Network:
    """Sec. 3.6, Tables 7 and 8: He's blocks; WRN-50-2 is torchvision's wide_resnet50_2.

    A basic block is k times as wide, a bottleneck only in its 3x3 convolution.
    """
    if spec.block == "basic":
        block = choose_block(spec, PlainBlock, BasicBlock, "B")
        stages = layout.stages(64 * widening)
    else:
        options = {"stride_in": "3x3", "base_width": 64 * widening}
        block = choose_block(spec, PlainBottleneck, Bottleneck, "B", **options)
        stages = layout.stages(64)
    stem, expansion = make_stem(layout, spec.in_channels, 64), EXPANSION[spec.block]
    head = make_head(stages[-1].channels * expansion, spec.num_classes)
    names, absent = whose_names(
        torchvision=(
            (spec.residual, "a plain net has none of its shortcuts"),
            (spec.block == "bottleneck", "its wide ResNets have bottlenecks"),
        )
    )
    return Network(stack(stem, block, stages, head, 64, expansion), label, names, absent)
