"""ResNets and plain nets are the papers'."""

import re

import pytest
import torch
from torch import nn
from torchvision.ops import StochasticDepth

from resx.errors import RequestError
from resx.models.parts.blocks import BasicBlock, Bottleneck, PlainBlock
from resx.models.parts.checkpointing import checkpoint_activations
from resx.models.parts.complexity import activation_memory, parameters
from resx.models.parts.initialization import initialize
from resx.models.parts.layers import ZeroPadShortcut
from resx.models.resnet import resnet


def make(depth=20, residual=True, block="basic", layout="auto", num_classes=10, **options):
    return resnet(depth, residual, block, layout, num_classes, **options)


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


def test_option_a_takes_every_second_pixel_and_pads_with_zeros_behind():
    x = torch.tensor([[[[1.0, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]]]])
    expected = torch.tensor([[[[1.0, 3], [9, 11]], [[0, 0], [0, 0]]]])
    assert torch.equal(ZeroPadShortcut(new_channels=1, stride=2)(x), expected)


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
def test_a_silent_branch_leaves_the_identity(block):
    module = block(4 * block.expansion, 4, 1, shortcut="A")
    nn.init.zeros_(module.branch[-1].weight)
    x = torch.rand(2, 4 * block.expansion, 5, 5)  # not negative: the last relu does nothing
    assert torch.equal(module(x), x)


def test_a_plain_block_is_the_residual_one_without_its_addition():
    plain, residual = PlainBlock(4, 4, 1), BasicBlock(4, 4, 1, shortcut="A")
    residual.load_state_dict(plain.state_dict())
    x = torch.randn(2, 4, 5, 5)
    assert torch.equal(residual(x), torch.relu(x + plain.branch(x)))
    assert torch.equal(plain(x), torch.relu(plain.branch(x)))


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
        ({"shortcut": "D"}, "model.shortcut=D"),
        ({"shortcut": "D", "residual": False}, "model.shortcut=D"),
        ({"norm": "layer"}, "model.norm=layer"),
        ({"width": 0}, "model.width=0"),
        ({"zero_init_last": True, "residual": False}, "model.zero_init_last=true"),
        ({"drop_path": 1.0}, "model.drop_path=1.0: must be in [0, 1)"),
        ({"drop_path": 0.5, "residual": False}, "model.drop_path=0.5: needs residual=true"),
        ({"block": "bottleneck", "stride_in": "2x2", "depth": 29}, "model.stride_in=2x2"),
    ],
)
def test_an_option_that_does_not_exist_is_refused(options, message):
    with pytest.raises(RequestError, match=re.escape(message)):
        make(**options)


def test_activation_memory_grows_with_batch_and_depth():
    small = activation_memory(make(20), 3, 32, 16)
    assert activation_memory(make(20), 3, 32, 32) == pytest.approx(2 * small, rel=0.01)
    assert activation_memory(make(56), 3, 32, 16) > 2.5 * small


def test_checkpointed_activations_change_nothing_but_memory():
    images, results = torch.randn(4, 3, 16, 16), []
    for checkpointed in (False, True):
        network = make(14)
        initialize(network, 0)
        if checkpointed:
            checkpoint_activations(network)
        network.train()(images).square().sum().backward()
        gradients = [p.grad for p in network.parameters()]
        results.append((gradients, list(network.state_dict().values())))
    (gradients, state), (gradients_twice, state_twice) = results
    assert all(torch.equal(a, b) for a, b in zip(gradients, gradients_twice))
    assert all(torch.equal(a, b) for a, b in zip(state, state_twice))


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
