"""Stage tables: how a depth becomes blocks (He et al. 2015, Tables 1 and 6; arXiv:1512.03385)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from resx.models.parts.network import Spec
from resx.models.parts.options import one_of

EXPANSION = {"basic": 1, "bottleneck": 4}  # output channels of a block over those of its 3x3
SMALL_IMAGE = 64  # pixels; smaller images get the CIFAR table, or a small stem


class Stage(NamedTuple):
    blocks: int
    channels: int  # of the 3x3 convolutions; a bottleneck's output has `expansion` times as many
    stride: int


@dataclass(frozen=True)
class Layout:
    """A stage table for one depth: the blocks of each stage, and which stem stands before them."""

    name: str
    blocks: tuple[int, ...]
    small_stem: bool  # the ImageNet table for images that its stem would leave nothing of

    def stages(self, width: int) -> tuple[Stage, ...]:
        """`width` channels at first; every later stage has twice as many at half the resolution."""
        return tuple(
            Stage(n, width * 2**i, stride=1 if i == 0 else 2) for i, n in enumerate(self.blocks)
        )


class Depths(NamedTuple):
    """The depths that exist with one kind of block.

    `cifar` is the pair (a, b) of depth = a n + b, for three stages of n blocks each; None if there
    is no such layout. `imagenet` gives the blocks of the four stages by depth; it may be empty.
    """

    cifar: tuple[int, int] | None
    imagenet: Mapping[int, tuple[int, ...]]

    @property
    def layouts(self) -> list[str]:
        return ["cifar"] * (self.cifar is not None) + ["imagenet"] * bool(self.imagenet)

    def blocks(self, depth: int, layout: str) -> tuple[int, ...] | None:
        """The number of blocks in each stage, None if the layout has no such depth."""
        if layout == "imagenet":
            return self.imagenet.get(depth)
        if self.cifar is None:
            return None
        n, rest = divmod(depth - self.cifar[1], self.cifar[0])
        return (n, n, n) if n >= 1 and not rest else None

    def near(self, depth: int, layouts: tuple[str, ...]) -> list[int]:
        """The three possible depths next to `depth`, in rising order."""
        possible = set(self.imagenet) if "imagenet" in layouts else set()
        if "cifar" in layouts and self.cifar is not None:
            a, b = self.cifar
            below = max((depth - b) // a, 1)
            possible |= {below * a + b, (below + 1) * a + b}
        return sorted(sorted(sorted(possible), key=lambda other: abs(other - depth))[:3])


# He 2015, Table 6: 20, 32, 44, 56, 110 and 1202 layers are 6n + 2 for n = 3, 5, 7, 9, 18 and 200.
# Blocks in the four stages: He 2015, Table 1; 200 layers: He 2016 (arXiv:1603.05027), Table 5.
BASIC = Depths((6, 2), {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)})
BOTTLENECK = Depths(
    (9, 2), {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3), 200: (3, 24, 36, 3)}
)


def choose_layout(spec: Spec, depths: Mapping[str, Depths]) -> Layout:
    """The given layout, or for `auto` the one that fits the images and the depth.

    `depths` are the family's, by block. Raises ValueError for another block, for a layout that the
    block does not have, and for a depth that is not in it, naming the nearest that are.
    """
    one_of("block", spec.block, depths)
    own = depths[spec.block]
    layouts: tuple[str, ...] = (spec.layout,)
    if spec.layout == "auto":
        # The block never changes with the depth: 34 basic layers are no CIFAR network, so small
        # images of that depth get the ImageNet table behind a small stem.
        layouts = ("imagenet",) if spec.image_size >= SMALL_IMAGE else ("cifar", "imagenet")
    if not set(layouts) & set(own.layouts):
        raise ValueError(
            f"layout={layouts[0]}: block={spec.block} has the {own.layouts[0]} layout alone"
        )
    for name in layouts:
        blocks = own.blocks(spec.depth, name)
        if blocks is not None:
            small = name == "imagenet" and spec.image_size < SMALL_IMAGE
            return Layout(name, blocks, small)
    where = "in any layout" if len(layouts) > 1 else f"in the {layouts[0]} layout"
    nearest = ", ".join(map(str, own.near(spec.depth, layouts)))
    raise ValueError(
        f"depth={spec.depth}: no such network with this block {where};"
        f" the nearest depths are {nearest}"
    )
