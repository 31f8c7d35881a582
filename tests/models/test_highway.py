"""Highway layers mix by their gates, and their twins have these wide open."""

import pytest
import torch

from resx.models.highway import HighwayLayer, gate_bias_for, highway
from resx.models.parts.complexity import parameters
from resx.models.parts.network import Spec


def linear(depth, residual=True, **options):
    return highway(
        Spec(depth=depth, residual=residual, block="linear", in_channels=1, image_size=8), **options
    )


def test_a_highway_layer_mixes_by_its_gate_and_closed_is_the_identity():
    layer, x = HighwayLayer(4, 4, 1, -1.0), torch.randn(2, 4, 5, 5)
    share = layer.gate(x)
    assert torch.equal(layer(x), share * layer.branch(x) + (1 - share) * x)
    closed = HighwayLayer(4, 4, 1, -60.0)
    assert torch.allclose(closed(x), x, atol=1e-6)


def test_the_twin_of_a_highway_net_has_its_gates_wide_open():
    network, twin = (linear(10, residual, gate_bias=60.0) for residual in (True, False))
    weights = network.state_dict()
    twin.load_state_dict({k: v for k, v in weights.items() if ".gate." not in k})
    x = torch.randn(3, 1, 8, 8)
    assert torch.allclose(network(x), twin(x), atol=1e-5)


# Srivastava 2015 (arXiv:1507.06228), Sec. 3.1: 71 units in plain nets for 50 in highway nets.
@pytest.mark.parametrize("depth", [10, 20, 50, 100])
def test_a_wider_twin_has_the_parameters_of_the_gates(depth):
    network, twin, wider = linear(depth), linear(depth, False), linear(depth, False, plain_width=71)
    assert parameters(twin) < 0.55 * parameters(network)
    assert parameters(wider) == pytest.approx(parameters(network), rel=0.05)
    assert parameters(linear(depth, plain_width=71)) == parameters(network)


def test_gate_biases_follow_the_papers_rule():
    assert [gate_bias_for(depth) for depth in (5, 10, 20, 30, 100)] == [-1, -1, -2, -3, -3]


# Srivastava 2015 (arXiv:1507.06228), Sec. 3.1: 9, 19, 49, 99 layers after a first plain one.
@pytest.mark.parametrize("depth", [10, 20, 50, 100])
def test_a_fully_connected_highway_net_has_the_papers_layers(depth):
    network = linear(depth)
    assert len(network.stage1) == depth - 1
    assert all(isinstance(layer, HighwayLayer) for layer in network.stage1)
