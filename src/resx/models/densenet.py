"""DenseNet and the chain of its layers (Huang et al. 2017, arXiv:1608.06993)."""

from dataclasses import dataclass

import torch
from torch import nn

from resx.models.parts.complexity import parameters
from resx.models.parts.dense import ChainLayer, DenseLayer, nearest_width, transition
from resx.models.parts.layers import conv3x3
from resx.models.parts.naming import densenet_name
from resx.models.parts.network import Network, Spec
from resx.models.parts.options import at_least_one, below_one
from resx.models.parts.skeleton import make_head, make_stem, small_stem, title
from resx.models.parts.stages import Depths, Layout, choose_layout

# Three dense blocks of n layers (Sec. 3), or four as in Table 1; a bottleneck layer counts twice.
IMAGENET = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32), 161: (6, 12, 36, 24)}
DEPTHS = {"basic": Depths((3, 4), {}), "bottleneck": Depths((6, 4), IMAGENET)}
GROWTH = {"cifar": 12, "imagenet": 32}
COMPRESSION = {"basic": 1.0, "bottleneck": 0.5}


def densenet(
    spec: Spec, growth: int | None = None, compression: float | None = None, dropout: float = 0.0
) -> Network:
    """DenseNet (L = `depth`, k = `growth`); block=bottleneck is its BC variant.

    Dropout follows the 3x3 convolutions, as torchvision has it; the paper's own follows the 1x1
    ones too. The plain twin is the chain of the same layers, each fed by the one before alone, all
    as wide as brings the number of parameters nearest to the dense net's.
    """
    layout = choose_layout(spec, DEPTHS)
    at_least_one(growth=growth)
    below_one(dropout=dropout)
    if compression is not None and not 0 < compression <= 1:
        raise ValueError(f"compression={compression}: must be in (0, 1]")
    growth, usual = growth or GROWTH[layout.name], COMPRESSION[spec.block]
    plan = Plan(spec, layout, growth, compression or usual, dropout)
    width = twin = None
    if not spec.residual:
        with torch.device("meta"):
            dense = parameters(Network(plan.parts(None)))
        width = nearest_width(lambda width: Network(plan.parts(width)), dense)
        twin = f"width {width} for the dense net's {dense:,} parameters"
    letters = f"-{plan.letters}" if plan.letters and layout.name == "cifar" else ""
    label = title(
        spec,
        f"DenseNet{letters}-{spec.depth}-{growth}",
        f"{layout.name} layout",
        plan.compression != usual and f"compression {compression}",
        dropout > 0 and f"dropout {dropout}",
        small_stem(layout),
        twin,
    )
    torchvisions = spec.residual and layout.name == "imagenet"
    names = {"torchvision": densenet_name} if torchvisions else {}
    why = (
        "it has no net of the CIFAR layout" if spec.residual else "a chain is none of its DenseNets"
    )
    return Network(plan.parts(width), label, names, {} if torchvisions else {"torchvision": why})


@dataclass(frozen=True)
class Plan:
    """How a DenseNet grows from layer to layer, and its chain does not."""

    spec: Spec
    layout: Layout
    growth: int
    compression: float
    dropout: float

    @property
    def letters(self) -> str:
        """B for bottlenecks, C for compressing transitions (Sec. 3)."""
        return "B" * (self.spec.block == "bottleneck") + "C" * (self.compression < 1)

    def parts(self, width: int | None) -> dict[str, nn.Module]:
        """The dense net, or with a `width` the chain of so many channels everywhere."""
        wide_stem = self.letters == "BC" or self.layout.name == "imagenet"
        channels = width or (2 * self.growth if wide_stem else 16)  # Sec. 3, implementation details
        parts = {"stem": self.stem(channels)}
        for number, layers in enumerate(self.layout.blocks, start=1):
            stage: list[nn.Module] = []
            for _ in range(layers):
                if width is None:
                    stage.append(DenseLayer(channels, self.growth, self.spec.block, self.dropout))
                    channels += self.growth
                else:
                    stage.append(ChainLayer(width, width, self.spec.block, self.dropout))
            parts[f"stage{number}"] = nn.Sequential(*stage)
            if number < len(self.layout.blocks):
                smaller = width or max(1, int(channels * self.compression))
                parts[f"transition{number}"] = transition(channels, smaller)
                channels = smaller
        norm = (nn.BatchNorm2d(channels), nn.ReLU(inplace=True))
        parts["head"] = make_head(channels, self.spec.num_classes, *norm)
        return parts

    def stem(self, channels: int) -> nn.Module:
        if self.layout.name == "cifar":  # one convolution: the first layer normalises
            return nn.Sequential(conv3x3(self.spec.in_channels, channels))
        return make_stem(self.layout, self.spec.in_channels, channels)
