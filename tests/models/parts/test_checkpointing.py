"""Activation checkpointing changes the memory that a step needs, and nothing else."""

import torch

from resx.models.parts.checkpointing import checkpoint_activations
from resx.models.parts.initialization import initialize
from resx.models.parts.network import Spec
from resx.models.resnet import resnet


def test_checkpointed_activations_change_nothing_but_memory():
    images, results = torch.randn(4, 3, 16, 16), []
    for checkpointed in (False, True):
        network = resnet(Spec(depth=14, block="basic"))
        initialize(network, 0)
        if checkpointed:
            checkpoint_activations(network)
        network.train()(images).square().sum().backward()
        gradients = [p.grad for p in network.parameters()]
        results.append((gradients, list(network.state_dict().values())))
    (gradients, state), (gradients_twice, state_twice) = results
    assert all(torch.equal(a, b) for a, b in zip(gradients, gradients_twice))
    assert all(torch.equal(a, b) for a, b in zip(state, state_twice))
