"""ResNets and plain nets are the papers'."""

import re

import pytest
import torch
import torchvision
from torch import nn

from resx.models.complexity import activation_memory, flops, parameters
from resx.models.initialization import initialize
from resx.models.layers import ZeroPadShortcut
from resx.models.memory import checkpoint_activations
from resx.models.naming import foreign_name, load_weights
from resx.models.resnet import BasicBlock, Bottleneck, PlainBlock, resnet
from resx.reference import parameter_counts
from resx.request import RequestError

TITLE = re.compile(r"(\w+)-(\d+) \((\w+) layout, (\w+)(?:, shortcut (\w))?\)")


def make(depth=20, residual=True, block="basic", layout="auto", num_classes=10, **options):
    return resnet(depth, residual, block, layout, num_classes, **options)


@pytest.mark.parametrize(("title", "num_classes"), list(parameter_counts()))
def test_parameter_count_is_the_published_one(title, num_classes):
    kind, depth, layout, block, shortcut = TITLE.fullmatch(title).groups()
    with torch.device("meta"):
        size = 224 if layout == "imagenet" else 32
        network = resnet(
            int(depth), kind == "ResNet", block, layout, num_classes, 3, size, shortcut
        )
    assert network.title == title
    assert parameters(network) == parameter_counts()[title, num_classes].parameters


def test_the_published_counts_are_those_of_the_tables():
    """Table 6 prints 0.27, 0.46, 0.66, 0.85, 1.7 and 19.4 million."""
    printed = {20: 0.27, 32: 0.46, 44: 0.66, 56: 0.85, 110: 1.7, 1202: 19.4}
    for depth, millions in printed.items():
        count = parameter_counts()[f"ResNet-{depth} (cifar layout, basic, shortcut A)", 10]
        assert count.parameters == pytest.approx(1e6 * millions, rel=0.02)


def test_option_a_shortcuts_cost_nothing():
    assert parameters(make(56)) == parameters(make(56, residual=False))


def test_twins_start_from_equal_weights():
    network, twin = make(20), make(20, residual=False)
    initialize(network, seed=3)
    initialize(twin, seed=3)
    ours, theirs = network.state_dict(), twin.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize(
    ("depth", "block"),
    [
        (18, "basic"),
        (34, "basic"),
        (50, "bottleneck"),
        pytest.param(101, "bottleneck", marks=pytest.mark.slow),
        pytest.param(152, "bottleneck", marks=pytest.mark.slow),
    ],
)
def test_outputs_equal_torchvisions_for_its_weights(depth, block):
    torch.manual_seed(depth)
    theirs = getattr(torchvision.models, f"resnet{depth}")(num_classes=7).eval()
    options = {"stride_in": "3x3"} if block == "bottleneck" else {}
    ours = make(depth, block=block, num_classes=7, image_size=64, **options).eval()
    load_weights(ours, theirs.state_dict(), "torchvision")
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        difference = (ours(images) - theirs(images)).abs().max()
    assert difference < 1e-5


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
        ({"block": "wide"}, "block=wide: resnet has basic, bottleneck"),
        ({"shortcut": "D"}, "model.shortcut=D"),
        ({"shortcut": "D", "residual": False}, "model.shortcut=D"),
        ({"norm": "layer"}, "model.norm=layer"),
        ({"width": 0}, "model.width=0"),
        ({"zero_init_last": True, "residual": False}, "model.zero_init_last=true"),
        ({"block": "bottleneck", "stride_in": "2x2", "depth": 29}, "model.stride_in=2x2"),
    ],
)
def test_an_option_that_does_not_exist_is_refused(options, message):
    with pytest.raises(RequestError, match=re.escape(message)):
        make(**options)


# He 2015, Table 1: 3.6 and 3.8 billion; counted exactly, ResNet-34 with option A has 3.66.
@pytest.mark.parametrize(
    ("depth", "block", "billions"), [(34, "basic", 3.6), (50, "bottleneck", 3.8)]
)
def test_multiply_adds_are_the_papers(depth, block, billions):
    with torch.device("meta"):
        network = make(depth, block=block, num_classes=1000, image_size=224)
    assert flops(network, 3, 224) / 2e9 == pytest.approx(billions, rel=0.03)


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


def test_foreign_names_are_torchvisions():
    network = make(50, block="bottleneck", num_classes=1000, image_size=224)
    names = {foreign_name(name, "torchvision") for name in network.state_dict()}
    assert names == set(torchvision.models.resnet50().state_dict())
