"""DenseNets keep what they have seen, and their chains have as many layers and parameters."""

import pytest
import torch

from resx.models.densenet import densenet
from resx.models.parts.complexity import parameters
from resx.models.parts.dense import ChainLayer, DenseLayer
from resx.models.parts.network import Spec


def dense_and_chain(depth, block):
    with torch.device("meta"):
        return [densenet(Spec(depth=depth, residual=r, block=block)) for r in (True, False)]


def test_a_dense_layer_keeps_its_input_and_adds_growth_channels():
    layer, x = DenseLayer(6, 4, "basic", 0.0), torch.randn(2, 6, 5, 5)
    y = layer(x)
    assert y.shape == (2, 10, 5, 5)
    assert torch.equal(y[:, :6], x)
    assert torch.equal(y[:, 6:], layer.branch(x))


@pytest.mark.parametrize(("depth", "block"), [(40, "basic"), (100, "bottleneck")])
def test_the_chain_has_as_many_layers_and_nearly_as_many_parameters(depth, block):
    dense, chain = dense_and_chain(depth, block)
    counts = [sum(isinstance(m, ChainLayer) for m in n.modules()) for n in (dense, chain)]
    assert counts[0] == counts[1]
    assert parameters(chain) == pytest.approx(parameters(dense), rel=0.05)
    assert f"{parameters(dense):,}" in chain.title


def test_no_other_width_of_the_chain_is_nearer():
    dense, chain = dense_and_chain(13, "basic")
    width = chain.stage1[0].branch[2].out_channels

    def by_hand(w):  # stem, 9 layers, 2 transitions, head
        return 27 * w + 9 * (2 * w + 9 * w**2) + 2 * (2 * w + w**2) + 2 * w + 10 * w + 10

    assert by_hand(width) == parameters(chain)
    gaps = {w: abs(by_hand(w) - parameters(dense)) for w in (width - 1, width, width + 1)}
    assert min(gaps, key=gaps.__getitem__) == width
