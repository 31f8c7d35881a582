"""Stage tables: how a depth becomes blocks (He et al. 2015, Tables 1 and 6; arXiv:1512.03385)."""

from typing import NamedTuple

from resx.request import RequestError


class Stage(NamedTuple):
    blocks: int
    channels: int  # of the 3x3 convolutions; a bottleneck's output has `expansion` times as many
    stride: int


# Blocks in the four stages, by depth and weighted layers a block (He 2015, Table 1).
IMAGENET_BLOCKS = {
    2: {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)},
    3: {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)},
}
SMALL_IMAGE = 64  # pixels; images below it get the CIFAR table or a small stem


def cifar_stages(depth: int, width: int = 16, layers_per_block: int = 2) -> tuple[Stage, ...]:
    """Three stages of n blocks each: depth = 3 * n * layers_per_block + 2.

    depth      20   32   44   56   110   1202      (He et al. 2015, Table 6)
    n           3    5    7    9    18    200

    Raises `RequestError` for any other depth.
    """
    n, rest = divmod(depth - 2, 3 * layers_per_block)
    if n < 1 or rest:
        raise RequestError(_impossible(depth, _cifar_depths(depth, layers_per_block), "cifar"))
    return Stage(n, width, 1), Stage(n, 2 * width, 2), Stage(n, 4 * width, 2)


def imagenet_stages(depth: int, width: int = 64, layers_per_block: int = 2) -> tuple[Stage, ...]:
    """Four stages, each of half the resolution and twice the channels of the one before.

    Raises `RequestError` for a depth that Table 1 does not have with this block.
    """
    table = IMAGENET_BLOCKS[layers_per_block]
    if depth not in table:
        raise RequestError(_impossible(depth, sorted(table), "imagenet"))
    strides = (1, 2, 2, 2)
    return tuple(Stage(n, width * 2**i, strides[i]) for i, n in enumerate(table[depth]))


def choose_layout(layout: str, depth: int, layers_per_block: int, image_size: int) -> str:
    """`cifar` or `imagenet`: the given one, or for `auto` what fits the image and the depth.

    Raises `RequestError` where neither has such a depth, naming the nearest that exist.
    """
    if layout != "auto":
        return layout
    if image_size >= SMALL_IMAGE:
        return "imagenet"
    cifar = _cifar_depths(depth, layers_per_block)
    if depth in cifar:
        return "cifar"
    table = IMAGENET_BLOCKS[layers_per_block]
    if depth in table:
        return "imagenet"
    raise RequestError(_impossible(depth, sorted({*cifar, *table}), "any"))


def _cifar_depths(depth: int, layers_per_block: int) -> list[int]:
    """The possible depths just below and above `depth`."""
    unit = 3 * layers_per_block
    below = max((depth - 2) // unit, 1)
    return [below * unit + 2, (below + 1) * unit + 2]


def _impossible(depth: int, possible: list[int], layout: str) -> str:
    nearest = sorted(sorted(possible, key=lambda d: abs(d - depth))[:3])
    where = "in any layout" if layout == "any" else f"in the {layout} layout"
    return (
        f"depth={depth}: no such network with this block {where};"
        f" the nearest depths are {', '.join(map(str, nearest))}"
    )
