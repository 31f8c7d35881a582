"""Wide ResNet: fewer layers, more channels (Zagoruyko and Komodakis 2016, arXiv:1605.07146)."""

from functools import partial
from typing import Any

from resx.config.checks import at_least, one_of
from resx.errors import RequestError
from resx.models.parts.foreign import resnet_names
from resx.models.parts.layers import Network, make_head, make_stem, small_stem, stack, title
from resx.models.parts.preactivation import PlainUnit, PreActUnit
from resx.models.parts.stages import (
    BASIC,
    Depths,
    choose_layout,
    cifar_stages,
    imagenet_stages,
)
from resx.models.preact import preact_stack
from resx.models.resnet import BLOCKS

# d = 6n + 4 counts convolutions: the first, 6n in the blocks, three projections (Sec. 2.3).
WIDE = Depths(6, 4, BASIC.imagenet)
WIDENINGS = {"cifar": 4, "imagenet": 2}


def wide(
    depth: int,
    residual: bool,
    block: str,
    layout: str,
    num_classes: int,
    in_channels: int = 3,
    image_size: int = 32,
    widening: int | None = None,
    dropout: float = 0.0,
) -> Network:
    """WRN-d-k: d layers, k = `widening` times the channels; `residual=False` is its plain twin.

    In the CIFAR layout pre-activation units of two 3x3 convolutions, k = 4 unless given; in the
    ImageNet one He's blocks, k times as wide in basic blocks and in the 3x3 of a bottleneck, k = 2.
    Raises `RequestError` for a depth or option that does not exist.
    """
    one_of("block", block, ("basic", "bottleneck"))
    if block == "bottleneck" and layout == "cifar":
        raise RequestError("block=bottleneck: in the cifar layout wide has basic alone")
    bottleneck = block == "bottleneck"
    layout = "imagenet" if bottleneck else choose_layout(layout, depth, WIDE, image_size)
    widening = WIDENINGS[layout] if widening is None else widening
    at_least("model.widening", widening, 1)
    if not 0 <= dropout < 1:
        raise RequestError(f"model.dropout={dropout}: must be in [0, 1)")
    if layout == "cifar":
        unit: Any = partial(PlainUnit, dropout=dropout)
        if residual:
            unit = partial(PreActUnit, shortcut="B", dropout=dropout)
        stages = cifar_stages(depth, 16 * widening, WIDE)
        stem = make_stem(layout, in_channels, 16, image_size)
        network = preact_stack(stem, unit, stages, num_classes, 16, block, "full")
    else:
        if dropout:
            raise RequestError(f"model.dropout={dropout}: only in the cifar layout")
        network = _imagenet(depth, residual, block, num_classes, in_channels, image_size, widening)
    network.title = title(
        f"WRN-{depth}-{widening}",
        residual,
        f"{layout} layout",
        block,
        dropout > 0 and f"dropout {dropout}",
        small_stem(layout, image_size),
    )
    return network


def _imagenet(
    depth: int,
    residual: bool,
    block: str,
    num_classes: int,
    in_channels: int,
    image_size: int,
    widening: int,
) -> Network:
    """Sec. 3.6, Tables 7 and 8; WRN-50-2 is torchvision's wide_resnet50_2."""
    plain_block, residual_block, depths = BLOCKS[block]
    options: dict[str, Any] = {}
    width = 64
    if block == "bottleneck":
        options = {"stride_in": "3x3", "base_width": 64 * widening}
    else:
        width *= widening
    unit: Any = partial(plain_block, **options)
    if residual:
        unit = partial(residual_block, shortcut="B", **options)
    stages = imagenet_stages(depth, width, depths)
    expansion = plain_block.expansion
    head = make_head(stages[-1].channels * expansion, num_classes)
    stem = make_stem("imagenet", in_channels, 64, image_size)
    network = stack(stem, unit, stages, head, 64, expansion)
    if residual and block == "bottleneck":
        network.foreign = resnet_names("torchvision")
    return network
