"""Activation checkpointing changes the memory that a step needs, and nothing else."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from resx.config.composing import compose
from resx.models.building import build_network
from resx.models.parts.checkpointing import checkpoint_activations
from resx.training.state import make_optimizer
from resx.training.step import train_step
from tests.models.golden import NETWORKS

NOISY = {
    "resnet with stochastic depth": "model=resnet depth=8 model.drop_path=0.5",
    "densenet with dropout": "model=densenet depth=13 model.dropout=0.3",
    "wide with dropout": "model=wide depth=10 model.widening=2 model.dropout=0.3",
    "resnet with ghost batches": "model=resnet depth=8 recipe.bn_batch=4",
}


def two_steps(overrides, residual, *more):
    """Losses, gradients, weights and running statistics after two steps."""
    config = compose(*overrides.split(), f"residual={str(residual).lower()}", *more)
    network = build_network(config, 10, 3, 16, torch.device("cpu")).train()
    optimizer = make_optimizer(network, config.recipe)
    draws = torch.Generator().manual_seed(0)
    images = torch.randn(8, 16, 16, 3, generator=draws).permute(0, 3, 1, 2)
    labels = torch.randint(10, (8,), generator=draws)
    found = []
    for step in range(2):
        torch.manual_seed(step)
        found.append(train_step(network, images, labels, optimizer, 0.01, config.precision))
    return found + [p.grad for p in network.parameters()] + [*network.state_dict().values()]


CASES = [(name, residual) for name in (*NETWORKS, *NOISY) for residual in (True, False)]
CASES.remove(("resnet with stochastic depth", False))  # there is none without a shortcut


@pytest.mark.parametrize(("name", "residual"), CASES)
def test_checkpointed_activations_change_no_bit(name, residual):
    """Of no family: gradients, weights, and the running statistics, which count a batch once."""
    overrides = (NETWORKS | NOISY)[name]
    kept = two_steps(overrides, residual)
    recomputed = two_steps(overrides, residual, "checkpoint_activations=true")
    assert all(torch.equal(a, b) for a, b in zip(kept, recomputed, strict=True))


@pytest.mark.parametrize("layer", [nn.Dropout2d(0.5), nn.AlphaDropout(0.5), nn.RReLU()])
def test_any_layer_of_torch_that_draws_draws_the_same_again(layer):
    gradients = []
    for recomputed in (False, True):
        torch.manual_seed(0)
        block = nn.Sequential(nn.Conv2d(3, 4, 1), layer, nn.Conv2d(4, 2, 1))
        if recomputed:
            checkpoint_activations(SimpleNamespace(blocks={"block": block}.items))
        block(torch.ones(2, 3, 4, 4, requires_grad=True)).square().sum().backward()
        gradients.append(block[0].weight.grad)
    assert torch.equal(*gradients)


def test_in_bf16_they_are_recomputed_in_bf16():
    kept = two_steps("depth=8", True, "precision=bf16")
    recomputed = two_steps("depth=8", True, "precision=bf16", "checkpoint_activations=true")
    assert all(torch.equal(a, b) for a, b in zip(kept, recomputed, strict=True))
