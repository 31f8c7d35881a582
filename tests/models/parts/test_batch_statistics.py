"""Batch norm over a part of a batch, and over the latest batches."""

import pytest
import torch
from torch import nn

from resx.models.parts.batch_statistics import (
    GhostBatchNorm2d,
    kept_statistics,
    reestimate,
    use_ghost_batches,
)
from resx.models.parts.initialization import initialize
from resx.models.parts.network import Spec
from resx.models.resnet import resnet


@pytest.fixture
def network():
    net = resnet(Spec(depth=8, block="basic", in_channels=1, image_size=8))
    initialize(net, 0)
    return net


def images(count, seed=0):
    return 3 + 2 * torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed))


def test_a_ghost_batch_is_normalised_by_itself():
    ghost, norm = GhostBatchNorm2d(1, images=4), nn.BatchNorm2d(1)
    x = images(8) * torch.linspace(1, 5, 8)[:, None, None, None]
    expected = torch.cat([norm(x[:4]), norm(x[4:])])
    assert torch.equal(ghost(x), expected)
    assert torch.equal(ghost.running_mean, norm.running_mean)
    assert not torch.allclose(ghost(x), nn.BatchNorm2d(1)(x), atol=0.1)


def test_ghost_batches_keep_weights_and_names(network):
    before = {k: v.clone() for k, v in network.state_dict().items()}
    parameters = list(network.parameters())
    use_ghost_batches(network, 4)
    after = network.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[k], before[k]) for k in before)
    assert all(a is b for a, b in zip(network.parameters(), parameters, strict=True))
    assert sum(isinstance(m, GhostBatchNorm2d) for m in network.modules()) == 7


def test_reestimated_statistics_are_the_plain_means_over_the_batches(network):
    """Of the first norm they are known exactly: means over what the first convolution gives."""
    batches = [images(32, seed) for seed in range(3)]
    convolution, norm = network.stem[0], network.stem[1]
    with torch.no_grad():
        outputs = [convolution(batch).transpose(0, 1).flatten(1) for batch in batches]
    reestimate(network, batches)
    assert torch.allclose(norm.running_mean, torch.stack([o.mean(1) for o in outputs]).mean(0))
    assert torch.allclose(norm.running_var, torch.stack([o.var(1) for o in outputs]).mean(0))
    assert network.training
    assert norm.momentum == 0.1


def test_statistics_come_back(network):
    network(images(16))
    before = {k: v.clone() for k, v in network.state_dict().items()}
    with kept_statistics(network):
        reestimate(network, [images(16, 1)])
        assert not torch.equal(network.stem[1].running_mean, before["stem.1.running_mean"])
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())


def test_reestimation_draws_no_noise():
    """Dropout is off, so that torch's random numbers are left to training."""
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5))
    before = torch.get_rng_state()
    reestimate(network, [images(8)])
    assert torch.equal(torch.get_rng_state(), before)
    assert all(module.training for module in network.modules())
