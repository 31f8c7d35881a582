"""ResNeXt: bottlenecks of grouped convolutions (Xie et al. 2017, arXiv:1611.05431)."""

from resx.models.parts.blocks import Bottleneck, PlainBottleneck
from resx.models.parts.naming import whose_names
from resx.models.parts.network import Network, Spec
from resx.models.parts.options import at_least_one
from resx.models.parts.skeleton import choose_block, make_head, make_stem, small_stem, stack, title
from resx.models.parts.stages import BOTTLENECK, choose_layout

CARDINALITY = {"cifar": 8, "imagenet": 32}  # 8x64d (Sec. 5.3) and 32x4d (Table 1)
BASE_WIDTH = {"cifar": 64, "imagenet": 4}


def resnext(
    spec: Spec,
    cardinality: int | None = None,
    base_width: int | None = None,
    width: int = 64,
) -> Network:
    """ResNeXt-depth CxWd: C = `cardinality` groups of W = `base_width` channels in stage 1.

    9n + 2 layers in the CIFAR layout (Sec. 5.3); projections where shapes change. `width` is the
    first stage's, and `base_width` counts for a width of 64.
    """
    layout = choose_layout(spec, {"bottleneck": BOTTLENECK})
    at_least_one(cardinality=cardinality, base_width=base_width, width=width)
    cardinality = cardinality or CARDINALITY[layout.name]
    base_width = base_width or BASE_WIDTH[layout.name]
    if width * base_width < 64:
        raise ValueError(f"base_width={base_width}: leaves no channel at width={width}")
    options = {"stride_in": "3x3", "cardinality": cardinality, "base_width": base_width}
    block = choose_block(spec, PlainBottleneck, Bottleneck, "B", **options)
    stages, expansion = layout.stages(width), Bottleneck.expansion
    stem = make_stem(layout, spec.in_channels, width)
    head = make_head(stages[-1].channels * expansion, spec.num_classes)
    label = title(
        spec,
        f"ResNeXt-{spec.depth}-{cardinality}x{base_width}d",
        f"{layout.name} layout",
        width != 64 and f"width {width}",
        small_stem(layout),
    )
    names, absent = whose_names(
        torchvision=(
            (layout.name == "imagenet", "it has no net of the CIFAR layout"),
            (spec.residual, "a plain net has none of its shortcuts"),
            (width == 64, f"its first stage has 64 channels, not {width}"),
        )
    )
    return Network(stack(stem, block, stages, head, width, expansion), label, names, absent)
