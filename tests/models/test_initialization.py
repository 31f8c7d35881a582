"""First weights are He's, and a function of (seed, name)."""

import math

import pytest
import torch

from resx.models.parts.initialization import initialize
from resx.models.resnet import resnet


def test_convolutions_have_hes_standard_deviation():
    """sqrt(2 / fan_out), fan_out = channels * 9 (He et al. 2015, arXiv:1502.01852, Eq. 14)."""
    network = resnet(20, True, "basic", "cifar", 10)
    initialize(network, 0)
    weight = network.stage3[1].branch[0].weight
    assert weight.std().item() == pytest.approx(math.sqrt(2 / (64 * 9)), rel=0.02)
    assert weight.mean().item() == pytest.approx(0, abs=1e-3)


def test_equal_seeds_give_equal_weights_and_others_do_not():
    first, again, other = (resnet(8, True, "basic", "cifar", 10) for _ in range(3))
    for network, seed in ((first, 1), (again, 1), (other, 2)):
        initialize(network, seed)
    a, b, c = (network.stage1[0].branch[0].weight for network in (first, again, other))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_a_deeper_net_shares_its_first_blocks_weights():
    shallow, deep = resnet(8, True, "basic", "cifar", 10), resnet(20, True, "basic", "cifar", 10)
    initialize(shallow, 0)
    initialize(deep, 0)
    assert torch.equal(shallow.stage2[0].branch[3].weight, deep.stage2[0].branch[3].weight)
