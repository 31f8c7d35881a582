"""Depths are the papers'."""

import pytest

from resx.models.parts.network import Spec
from resx.models.parts.stages import BASIC, BOTTLENECK, Depths, Stage, choose_layout

DEPTHS = {"basic": BASIC, "bottleneck": BOTTLENECK}


def choose(depth, block="basic", layout="auto", image_size=32, depths=DEPTHS):
    spec = Spec(depth=depth, block=block, layout=layout, image_size=image_size)
    return choose_layout(spec, depths)


# He 2015, Table 6: n = 3, 5, 7, 9, 18, 200.
@pytest.mark.parametrize(
    ("depth", "n"), [(8, 1), (20, 3), (32, 5), (44, 7), (56, 9), (110, 18), (1202, 200)]
)
def test_cifar_depth_is_6n_plus_2(depth, n):
    assert choose(depth).blocks == (n, n, n)


def test_cifar_bottleneck_depth_is_9n_plus_2():
    assert choose(164, "bottleneck").blocks == (18, 18, 18)


def test_imagenet_101_has_23_blocks_in_stage_3():
    assert choose(101, "bottleneck", image_size=224).blocks == (3, 4, 23, 3)


def test_every_later_stage_has_half_the_resolution_and_twice_the_channels():
    assert choose(20).stages(16) == (Stage(3, 16, 1), Stage(3, 32, 2), Stage(3, 64, 2))
    imagenet = choose(34, image_size=224).stages(64)
    assert [(stage.channels, stage.stride) for stage in imagenet] == [
        (64, 1), (128, 2), (256, 2), (512, 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("depth", "block", "image_size", "layout", "small_stem"),
    [
        (34, "basic", 224, "imagenet", False),
        (34, "basic", 8, "imagenet", True),  # 6n + 2 does not give 34
        (20, "basic", 32, "cifar", False),
        (50, "basic", 32, "cifar", False),  # 6 * 8 + 2: the block does not change with depth
        (50, "bottleneck", 32, "imagenet", True),
    ],
)
def test_auto_layout_follows_image_size_and_depth(depth, block, image_size, layout, small_stem):
    chosen = choose(depth, block, image_size=image_size)
    assert (chosen.name, chosen.small_stem) == (layout, small_stem)


@pytest.mark.parametrize(
    ("depth", "block", "image_size", "nearest"),
    [
        (33, "basic", 32, "32, 34, 38"),
        (1, "basic", 32, "8, 14, 18"),
        (20, "basic", 224, "18, 34"),
        (30, "bottleneck", 32, "29, 38, 50"),
        (34, "bottleneck", 224, "50, 101, 152"),
    ],
)
def test_impossible_depth_names_the_nearest(depth, block, image_size, nearest):
    with pytest.raises(ValueError, match=f"^depth={depth}: .* nearest depths are {nearest}$"):
        choose(depth, block, image_size=image_size)


@pytest.mark.parametrize(
    ("own", "layout", "other"),
    [(Depths((3, 4), {}), "imagenet", "cifar"), (Depths(None, {18: (2,)}), "cifar", "imagenet")],
)
def test_a_layout_that_a_block_does_not_have_is_refused(own, layout, other):
    message = f"^layout={layout}: block=basic has the {other} layout alone$"
    with pytest.raises(ValueError, match=message):
        choose(18, layout=layout, depths={"basic": own})
