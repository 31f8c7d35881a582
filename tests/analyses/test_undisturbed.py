"""A network is afterwards as it was, whatever was done to it."""

import pytest
import torch
from torch import nn

from resx.analyses.parts.undisturbed import undisturbed


def state(network):
    gradients = [p.grad for p in network.parameters()]
    tensors = [*network.parameters(), *network.buffers(), torch.get_rng_state()]
    flags = [m.training for m in network.modules()], [p.requires_grad for p in network.parameters()]
    return [t.detach().clone() for t in tensors], gradients, flags


@pytest.mark.parametrize("fails", [False, True])
def test_whatever_is_done_is_undone_even_if_it_fails(fails):
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))
    network[0].eval()
    network[3].bias.requires_grad_(False)
    network[0].weight.grad = kept = torch.ones(4, 3)
    tensors, gradients, flags = state(network)
    try:
        with undisturbed(network):
            assert all(p.grad is None for p in network.parameters())
            network.train()
            network(torch.randn(5, 3)).sum().backward()
            network.requires_grad_(False)
            network[3].weight.zero_()
            if fails:
                raise FloatingPointError
    except FloatingPointError:
        assert fails
    after, gradients_after, flags_after = state(network)
    assert all(torch.equal(a, b) for a, b in zip(tensors, after))
    assert all(a is b for a, b in zip(gradients, gradients_after))
    assert torch.equal(kept, torch.ones(4, 3))
    assert flags == flags_after
