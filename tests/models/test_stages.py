"""Depths are the papers'."""

import pytest

from resx.errors import RequestError
from resx.models.parts.stages import BASIC, BOTTLENECK, choose_layout, cifar_stages, imagenet_stages

DEPTHS = {2: BASIC, 3: BOTTLENECK}


# He 2015, Table 6: n = 3, 5, 7, 9, 18, 200.
@pytest.mark.parametrize(
    ("depth", "n"), [(8, 1), (20, 3), (32, 5), (44, 7), (56, 9), (110, 18), (1202, 200)]
)
def test_cifar_depth_is_6n_plus_2(depth, n):
    assert [stage.blocks for stage in cifar_stages(depth)] == [n, n, n]


def test_cifar_bottleneck_depth_is_9n_plus_2():
    assert [stage.blocks for stage in cifar_stages(164, depths=BOTTLENECK)] == [18, 18, 18]


def test_imagenet_101_has_23_blocks_in_stage_3():
    assert [stage.blocks for stage in imagenet_stages(101, depths=BOTTLENECK)] == [3, 4, 23, 3]


@pytest.mark.parametrize(
    ("depth", "layers", "image_size", "layout"),
    [
        (34, 2, 224, "imagenet"),
        (34, 2, 8, "imagenet"),  # 6n + 2 does not give 34
        (20, 2, 32, "cifar"),
        (50, 2, 32, "cifar"),  # 6 * 8 + 2, basic blocks: the block does not change with depth
        (50, 3, 32, "imagenet"),
    ],
)
def test_auto_layout_follows_image_size_and_depth(depth, layers, image_size, layout):
    assert choose_layout("auto", depth, DEPTHS[layers], image_size) == layout


@pytest.mark.parametrize(
    ("depth", "layers", "image_size", "nearest"),
    [
        (33, 2, 32, "32, 34, 38"),
        (1, 2, 32, "8, 14, 18"),
        (20, 2, 224, "18, 34"),
        (30, 3, 32, "29, 38, 50"),
        (34, 3, 224, "50, 101, 152"),
    ],
)
def test_impossible_depth_names_the_nearest(depth, layers, image_size, nearest):
    with pytest.raises(RequestError, match=f"depth={depth}: .* nearest depths are {nearest}$"):
        layout = choose_layout("auto", depth, DEPTHS[layers], image_size)
        make_stages = imagenet_stages if layout == "imagenet" else cifar_stages
        make_stages(depth, depths=DEPTHS[layers])
