"""Stage tables: how a depth becomes blocks (He et al. 2015, Tables 1 and 6; arXiv:1512.03385)."""

from collections.abc import Mapping
from typing import NamedTuple

from resx.errors import RequestError


class Stage(NamedTuple):
    blocks: int
    channels: int  # of the 3x3 convolutions; a bottleneck's output has `expansion` times as many
    stride: int


class Depths(NamedTuple):
    """The depths of a family: unit * n + extra in the CIFAR layout, a table in the ImageNet one.

    `imagenet` gives the blocks in the four stages by depth.
    """

    unit: int
    extra: int
    imagenet: Mapping[int, tuple[int, ...]]

    def cifar_blocks(self, depth: int) -> int | None:
        """The n of unit * n + extra, None where there is none."""
        n, rest = divmod(depth - self.extra, self.unit)
        return n if n >= 1 and not rest else None

    def near(self, depth: int, layout: str) -> list[int]:
        """The possible depths about `depth`: just below and above, or all of the table."""
        below = max((depth - self.extra) // self.unit, 1)
        cifar = [n * self.unit + self.extra for n in (below, below + 1)]
        return {"cifar": cifar, "imagenet": list(self.imagenet)}.get(
            layout, [*cifar, *self.imagenet]
        )


# Blocks in the four stages: He 2015, Table 1; 200 layers: He 2016 (arXiv:1603.05027), Table 5.
BASIC = Depths(6, 2, {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)})
BOTTLENECK = Depths(
    9, 2, {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3), 200: (3, 24, 36, 3)}
)
SMALL_IMAGE = 64  # pixels; images below it get the CIFAR table or a small stem


def cifar_stages(depth: int, width: int = 16, depths: Depths = BASIC) -> tuple[Stage, ...]:
    """Three stages of n blocks each, twice the channels at half the resolution.

    depth      20   32   44   56   110   1202      (He et al. 2015, Table 6: 6n + 2)
    n           3    5    7    9    18    200

    Raises `RequestError` for any other depth.
    """
    n = depths.cifar_blocks(depth)
    if n is None:
        raise RequestError(_impossible(depth, depths, "cifar"))
    return Stage(n, width, 1), Stage(n, 2 * width, 2), Stage(n, 4 * width, 2)


def imagenet_stages(depth: int, width: int = 64, depths: Depths = BASIC) -> tuple[Stage, ...]:
    """Four stages, each of half the resolution and twice the channels of the one before.

    Raises `RequestError` for a depth that the table does not have.
    """
    if depth not in depths.imagenet:
        raise RequestError(_impossible(depth, depths, "imagenet"))
    strides = (1, 2, 2, 2)
    blocks = depths.imagenet[depth]
    return tuple(Stage(n, width * 2**i, strides[i]) for i, n in enumerate(blocks))


def stages_of(layout: str, depth: int, width: int, depths: Depths) -> tuple[Stage, ...]:
    """Raises `RequestError` for a depth that the layout does not have."""
    return (cifar_stages if layout == "cifar" else imagenet_stages)(depth, width, depths)


def choose_layout(layout: str, depth: int, depths: Depths, image_size: int) -> str:
    """`cifar` or `imagenet`: the given one, or for `auto` what fits the image and the depth.

    Raises `RequestError` where neither has such a depth, naming the nearest that exist.
    """
    if layout != "auto":
        return layout
    if image_size >= SMALL_IMAGE:
        return "imagenet"
    if depths.cifar_blocks(depth) is not None:
        return "cifar"
    if depth in depths.imagenet:
        return "imagenet"
    raise RequestError(_impossible(depth, depths, "any"))


def _impossible(depth: int, depths: Depths, layout: str) -> str:
    if layout == "imagenet" and not depths.imagenet:
        return f"depth={depth}: this network has the cifar layout alone"
    possible = sorted({*depths.near(depth, layout)}, key=lambda d: abs(d - depth))
    where = "in any layout" if layout == "any" else f"in the {layout} layout"
    return (
        f"depth={depth}: no such network with this block {where};"
        f" the nearest depths are {', '.join(map(str, sorted(possible[:3])))}"
    )
