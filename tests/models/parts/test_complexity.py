"""What a network costs."""

import pytest
import torch
from torch import nn

from resx.models.parts.checkpointing import checkpoint_activations
from resx.models.parts.complexity import step_memory
from resx.models.parts.network import Spec
from resx.models.resnet import resnet


def make(depth, checkpointed=False):
    network = resnet(Spec(depth=depth, block="basic"))
    if checkpointed:
        checkpoint_activations(network)
    return network


def test_the_memory_of_a_step_grows_with_batch_and_depth():
    small = step_memory(make(20), 3, 32, 16).peak
    assert step_memory(make(20), 3, 32, 32).peak == pytest.approx(2 * small, rel=0.02)
    assert step_memory(make(56), 3, 32, 16).peak > 2.5 * small


def test_it_counts_what_is_alive_at_once_and_views_once():
    """Of a linear layer: its input is kept; the gradients of logits and weights come on top."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 10))
    memory = step_memory(network, 3, 2, 100)
    images, logits = 100 * 12 * 4, 100 * 10 * 4
    assert memory.activations < images + 2 * logits  # the images are not made by the step
    assert memory.peak >= memory.activations + 12 * 10 * 4


def test_checkpointed_activations_take_what_the_inputs_of_blocks_take():
    """The nine blocks of ResNet-20 take 3 x 16 x 32^2 numbers and two halves of these an image.

    Stem and head have theirs; while one block is computed again its own activations come on top.
    """
    whole, memory = (step_memory(make(20, c), 3, 32, 16) for c in (False, True))
    of_stage1 = 16 * 16 * 32**2 * 4
    inputs = of_stage1 * (3 + 1 + 2 / 2 + 1 / 2 + 2 / 4)
    assert inputs < memory.activations < inputs + 3 * of_stage1
    assert memory.peak < 0.6 * whole.peak


def test_it_leaves_the_network_as_it_was():
    network = make(8).eval()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    step_memory(network, 3, 32, 4)
    assert not network.training
    assert all(p.grad is None and p.device.type == "cpu" for p in network.parameters())
    assert all(torch.equal(before[k], v) for k, v in network.state_dict().items())
