"""ResNeXt: bottlenecks of grouped convolutions (Xie et al. 2017, arXiv:1611.05431)."""

from functools import partial
from typing import Any

from resx.config.checks import at_least, one_of
from resx.errors import RequestError
from resx.models.parts.blocks import Bottleneck, PlainBottleneck
from resx.models.parts.foreign import resnet_names
from resx.models.parts.layers import Network, make_head, make_stem, small_stem, stack, title
from resx.models.parts.stages import (
    BOTTLENECK,
    choose_layout,
    stages_of,
)

CARDINALITY = {"cifar": 8, "imagenet": 32}
BASE_WIDTH = {"cifar": 64, "imagenet": 4}


def resnext(
    depth: int,
    residual: bool,
    block: str,
    layout: str,
    num_classes: int,
    in_channels: int = 3,
    image_size: int = 32,
    cardinality: int | None = None,
    base_width: int | None = None,
    width: int = 64,
) -> Network:
    """ResNeXt-depth CxWd: C = `cardinality` groups of W = `base_width` channels in stage 1.

    29 layers 8x64d in the CIFAR layout (Sec. 5.3: 9n + 2, stages of 64, 128 and 256 channels),
    32x4d in the ImageNet one, projections where shapes change. `residual=False` is the plain twin.
    `width` is the first stage's, `base_width` counts for a width of 64. Raises `RequestError` for
    a depth or option that does not exist.
    """
    one_of("block", block, ("bottleneck",))
    layout = choose_layout(layout, depth, BOTTLENECK, image_size)
    cardinality = CARDINALITY[layout] if cardinality is None else cardinality
    base_width = BASE_WIDTH[layout] if base_width is None else base_width
    for name, value in (("cardinality", cardinality), ("base_width", base_width), ("width", width)):
        at_least(f"model.{name}", value, 1)
    if width * base_width < 64:
        raise RequestError(f"model.base_width={base_width}: leaves no channel at width={width}")
    options: dict[str, Any] = {
        "stride_in": "3x3",
        "cardinality": cardinality,
        "base_width": base_width,
    }
    unit: Any = partial(PlainBottleneck, **options)
    if residual:
        unit = partial(Bottleneck, shortcut="B", **options)
    stages = stages_of(layout, depth, width, BOTTLENECK)
    head = make_head(stages[-1].channels * Bottleneck.expansion, num_classes)
    stem = make_stem(layout, in_channels, width, image_size)
    network = stack(stem, unit, stages, head, width, Bottleneck.expansion)
    network.title = title(
        f"ResNeXt-{depth}-{cardinality}x{base_width}d",
        residual,
        f"{layout} layout",
        width != 64 and f"width {width}",
        small_stem(layout, image_size),
    )
    if residual and layout == "imagenet" and width == 64:
        network.foreign = resnet_names("torchvision")
    return network
