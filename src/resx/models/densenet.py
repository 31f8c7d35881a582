"""DenseNet and the chain of its layers (Huang et al. 2017, arXiv:1608.06993)."""

import re
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor, nn

from resx.config.checks import at_least, one_of
from resx.errors import RequestError
from resx.models.parts.complexity import parameters
from resx.models.parts.layers import (
    Network,
    conv1x1,
    conv3x3,
    make_head,
    make_stem,
    small_stem,
    title,
)
from resx.models.parts.stages import Depths, choose_layout, stages_of

# Three dense blocks of n layers (Sec. 3), or four as in Table 1; a bottleneck layer counts twice.
IMAGENET = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32), 161: (6, 12, 36, 24)}
DEPTHS = {"basic": Depths(3, 4, {}), "bottleneck": Depths(6, 4, IMAGENET)}
GROWTH = {"cifar": 12, "imagenet": 32}
WIDEST = 4096  # channels of a chain; a DenseNet-161 needs a tenth of it


class ChainLayer(nn.Module):
    """F(x): BN, ReLU, 3x3 convolution; a bottleneck has BN, ReLU, 1x1 to 4 `growth` before them.

    (N, channels, H, W) -> (N, growth, H, W)
    """

    def __init__(self, channels: int, growth: int, block: str, dropout: float) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        if block == "bottleneck":
            layers += [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
            layers += [conv1x1(channels, 4 * growth)]
            channels = 4 * growth
        layers += [nn.BatchNorm2d(channels), nn.ReLU(inplace=True), conv3x3(channels, growth)]
        layers += [nn.Dropout(dropout)] if dropout else []
        self.branch = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x)


class DenseLayer(ChainLayer):
    """[x, F(x)]: what a layer adds stands beside all that came before (Eq. 2).

    (N, channels, H, W) -> (N, channels + growth, H, W)
    """

    def __init__(self, channels: int, growth: int, block: str, dropout: float) -> None:
        super().__init__(channels, growth, block, dropout)
        self.shortcut = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat((self.shortcut(x), self.branch(x)), 1)


def densenet(
    depth: int,
    residual: bool,
    block: str,
    layout: str,
    num_classes: int,
    in_channels: int = 3,
    image_size: int = 32,
    growth: int | None = None,
    compression: float | None = None,
    dropout: float = 0.0,
) -> Network:
    """DenseNet (L = `depth`, k = `growth`); block=bottleneck is its BC variant.

    Dropout follows the 3x3 convolutions, as torchvision has it; the paper's own follows the 1x1
    ones too. `growth` is 12 in the CIFAR layout and 32 in the ImageNet one, `compression` 0.5 with
    bottlenecks and else 1, unless given. `residual=False` is the chain of the same layers, each
    fed by the one before alone, all as wide as brings the number of parameters nearest to the
    dense net's. Raises `RequestError` for a depth or option that does not exist.
    """
    one_of("block", block, DEPTHS)
    layout = choose_layout(layout, depth, DEPTHS[block], image_size)
    if layout == "imagenet" and block == "basic":
        raise RequestError("block=basic: the imagenet layout has block=bottleneck alone")
    stages = stages_of(layout, depth, 1, DEPTHS[block])
    growth = GROWTH[layout] if growth is None else growth
    compression = (0.5 if block == "bottleneck" else 1.0) if compression is None else compression
    at_least("model.growth", growth, 1)
    if not 0 < compression <= 1:
        raise RequestError(f"model.compression={compression}: must be in (0, 1]")
    if not 0 <= dropout < 1:
        raise RequestError(f"model.dropout={dropout}: must be in [0, 1)")
    blocks = [stage.blocks for stage in stages]

    bottleneck = block == "bottleneck"
    letters = "B" * bottleneck + "C" * (compression < 1)

    def build(width: int | None) -> Network:
        first = 2 * growth if letters == "BC" or layout == "imagenet" else 16
        stem = make_stem(layout, in_channels, width or first, image_size)
        stem = stem[:1] if layout == "cifar" else stem  # the first layer normalises
        return _assemble(
            stem, blocks, width or first, width, growth, compression, block, dropout, num_classes
        )

    width = twin = None
    if not residual:
        with torch.device("meta"):
            dense = parameters(build(None))
        width = nearest_width(build, dense)
        twin = f"width {width} for the dense net's {dense:,} parameters"
    network = build(width)
    network.title = title(
        f"DenseNet{f'-{letters}' if letters and layout == 'cifar' else ''}-{depth}-{growth}",
        residual,
        f"{layout} layout",
        compression != (0.5 if bottleneck else 1) and f"compression {compression}",
        dropout > 0 and f"dropout {dropout}",
        small_stem(layout, image_size),
        twin or False,
    )
    if residual and layout == "imagenet":
        network.foreign = {"torchvision": torchvision_name}
    return network


def _assemble(
    stem: nn.Module,
    blocks: list[int],
    channels: int,
    width: int | None,
    growth: int,
    compression: float,
    block: str,
    dropout: float,
    num_classes: int,
) -> Network:
    """The dense net, or with a `width` the chain of so many channels everywhere."""
    parts: OrderedDict[str, nn.Module] = OrderedDict(stem=stem)
    for number, layers in enumerate(blocks, start=1):
        stage: list[nn.Module] = []
        for _ in range(layers):
            if width is None:
                stage.append(DenseLayer(channels, growth, block, dropout))
                channels += growth
            else:
                stage.append(ChainLayer(width, width, block, dropout))
        parts[f"stage{number}"] = nn.Sequential(*stage)
        if number < len(blocks):
            smaller = max(1, int(channels * compression)) if width is None else width
            parts[f"transition{number}"] = transition(channels, smaller)
            channels = smaller
    norm = [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
    parts["head"] = nn.Sequential(*norm, *make_head(channels, num_classes))
    return Network(parts)


def transition(channels: int, smaller: int) -> nn.Sequential:
    """(N, channels, H, W) -> (N, smaller, H / 2, W / 2)."""
    norm = (nn.BatchNorm2d(channels), nn.ReLU(inplace=True))
    return nn.Sequential(*norm, conv1x1(channels, smaller), nn.AvgPool2d(2))


def nearest_width(build: Callable[[int], Network], wanted: int) -> int:
    """The width whose network has the number of parameters nearest to `wanted`."""

    def size(width: int) -> int:
        with torch.device("meta"):
            return parameters(build(width))

    above = bisect_left(range(WIDEST), wanted, lo=1, key=size)
    return min((w for w in (above - 1, above) if w), key=lambda w: abs(size(w) - wanted))


def torchvision_name(ours: str) -> str:
    """`stage2.0.branch.2.weight` -> `features.denseblock2.denselayer1.conv1.weight`, and so on."""
    part = ("norm", "relu", "conv")

    def layer(match: re.Match[str]) -> str:
        stage, number, place = int(match[1]), int(match[2]), int(match[3])
        name = f"{part[place % 3]}{place // 3 + 1}"
        return f"features.denseblock{stage}.denselayer{number + 1}.{name}."

    ours = re.sub(r"^stage(\d+)\.(\d+)\.branch\.(\d+)\.", layer, ours)
    ours = re.sub(
        r"^transition(\d+)\.(\d)\.",
        lambda m: f"features.transition{m[1]}.{part[int(m[2])]}.",
        ours,
    )
    ends = {r"^stem\.0\.": "features.conv0.", r"^stem\.1\.": "features.norm0."}
    ends |= {r"^head\.0\.": "features.norm5.", r"^head\.4\.": "classifier."}
    for pattern, replacement in ends.items():
        ours = re.sub(pattern, replacement, ours)
    return ours
