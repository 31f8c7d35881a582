"""First weights are He's, and a function of (seed, name)."""

import math

import pytest
import torch
from torch import nn

from resx.models.parts.initialization import initialize
from resx.models.parts.network import Spec
from resx.models.resnet import resnet


def test_convolutions_have_hes_standard_deviation():
    """sqrt(2 / fan_out), fan_out = channels * 9 (He et al. 2015, arXiv:1502.01852, Eq. 14)."""
    network = resnet(Spec(depth=20, block="basic"))
    initialize(network, 0)
    weight = network.stage3[1].branch[0].weight
    assert weight.std().item() == pytest.approx(math.sqrt(2 / (64 * 9)), rel=0.02)
    assert weight.mean().item() == pytest.approx(0, abs=1e-3)


def test_equal_seeds_give_equal_weights_and_others_do_not():
    first, again, other = (resnet(Spec(depth=8, block="basic")) for _ in range(3))
    for network, seed in ((first, 1), (again, 1), (other, 2)):
        initialize(network, seed)
    a, b, c = (network.stage1[0].branch[0].weight for network in (first, again, other))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_a_deeper_net_shares_its_first_blocks_weights():
    shallow, deep = resnet(Spec(depth=8, block="basic")), resnet(Spec(depth=20, block="basic"))
    initialize(shallow, 0)
    initialize(deep, 0)
    assert torch.equal(shallow.stage2[0].branch[3].weight, deep.stage2[0].branch[3].weight)


class Scale(nn.Module):
    """A module that no initialisation knows."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.zeros(8))


class DrawnScale(Scale):
    def initialize(self, generator):
        self.gain.normal_(generator=generator)


def test_a_module_whose_first_weights_nothing_says_is_refused_by_name():
    network = nn.Sequential(nn.Linear(2, 2), nn.Sequential(Scale()))
    with pytest.raises(ValueError, match=r"^1\.0 is a Scale, whose first weights nothing says"):
        initialize(network, 0)


def test_a_module_that_draws_its_own_weights_does_so_from_seed_and_name():
    drawn = []
    for seed in (0, 0, 1):
        torch.manual_seed(len(drawn))  # torch's own generator has no say
        network = nn.Sequential(DrawnScale(), DrawnScale())
        initialize(network, seed)
        drawn.append([module.gain.clone() for module in network])
    assert torch.equal(drawn[0][0], drawn[1][0])
    assert not torch.equal(drawn[0][0], drawn[2][0])
    assert not torch.equal(drawn[0][0], drawn[0][1])


def test_constants_stay_as_they_were_constructed():
    norm = nn.BatchNorm2d(4)
    nn.init.zeros_(norm.weight)  # as zero_init_last does
    initialize(nn.Sequential(norm, nn.LayerNorm(4)), 0)
    assert not norm.weight.any()
