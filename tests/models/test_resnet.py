"""ResNets and plain nets are the papers'."""

import re

import pytest
import torch
from torch import nn
from torchvision.ops import StochasticDepth

from resx.models.parts.complexity import parameters
from resx.models.parts.initialization import initialize
from resx.models.parts.network import Spec
from resx.models.resnet import resnet


def make(depth=20, residual=True, block="basic", image_size=32, **options):
    return resnet(
        Spec(depth=depth, residual=residual, block=block, image_size=image_size), **options
    )


def test_option_a_shortcuts_cost_nothing():
    assert parameters(make(56)) == parameters(make(56, residual=False))


def test_twins_start_from_equal_weights():
    network, twin = make(20), make(20, residual=False)
    initialize(network, seed=3)
    initialize(twin, seed=3)
    ours, theirs = network.state_dict(), twin.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_stride_in_the_1x1_has_the_same_weights_and_another_function():
    networks = [
        make(50, block="bottleneck", image_size=64, stride_in=place) for place in ("1x1", "3x3")
    ]
    for network in networks:
        initialize(network, 0)
    images = torch.randn(2, 3, 64, 64)
    first, second = (network.eval()(images) for network in networks)
    assert parameters(networks[0]) == parameters(networks[1])
    assert not torch.allclose(first, second)


def test_zero_init_last_makes_every_block_its_shortcut():
    network = make(20, zero_init_last=True)
    initialize(network, 0)
    stage = network.stage1.eval()
    x = torch.rand(2, 16, 8, 8)
    assert torch.equal(stage(x), x)


def test_norm_none_has_biases_instead_of_batch_norm():
    network = make(20, norm="none")
    assert not any(isinstance(m, nn.BatchNorm2d) for m in network.modules())
    assert all(m.bias is not None for m in network.modules() if isinstance(m, nn.Conv2d))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"block": "wide"}, "block=wide: must be one of basic, bottleneck"),
        ({"shortcut": "D"}, "shortcut=D"),
        ({"shortcut": "D", "residual": False}, "shortcut=D"),
        ({"norm": "layer"}, "norm=layer"),
        ({"width": 0}, "width=0"),
        ({"zero_init_last": True, "residual": False}, "zero_init_last=true"),
        ({"drop_path": 1.0}, "drop_path=1.0: must be in [0, 1)"),
        ({"drop_path": 0.5, "residual": False}, "drop_path=0.5: needs residual=true"),
        ({"block": "bottleneck", "stride_in": "2x2", "depth": 29}, "stride_in=2x2"),
    ],
)
def test_an_option_that_does_not_exist_is_refused(options, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        make(**options)


def test_drop_path_leaves_out_later_branches_more_often_and_only_while_training():
    network = make(20, drop_path=0.5)
    rates = [m.p for m in network.modules() if isinstance(m, StochasticDepth)]
    assert rates == pytest.approx([0.5 * n / 9 for n in range(1, 10)])
    initialize(network, 0)
    same = make(20)
    same.load_state_dict(network.state_dict())
    images = torch.randn(4, 3, 16, 16)
    assert torch.equal(network.eval()(images), same.eval()(images))
    assert not torch.equal(network.train()(images), same.train()(images))
