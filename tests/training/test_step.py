"""A step in parts is the step on the whole, but for batch norm and for rounding."""

from dataclasses import replace

import pytest
import torch

from resx.config.composing import compose
from resx.models.building import build_network
from resx.models.parts.batch_statistics import use_ghost_batches
from resx.models.parts.network import Spec
from resx.models.resnet import resnet
from resx.training.state import make_optimizer
from resx.training.step import train_step

CPU = torch.device("cpu")
IMAGES = torch.randn(32, 1, 8, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(32) % 10


def after_a_step(network, micro_batch, weight_decay=0.0):
    """Outcome, gradients and weights."""
    recipe = replace(compose().recipe, weight_decay=weight_decay)
    optimizer = make_optimizer(network.train(), recipe)
    outcome = train_step(network, IMAGES, LABELS, optimizer, 0.1, "fp32", micro_batch)
    return [outcome, *(p.grad for p in network.parameters()), *network.state_dict().values()]


def build(*overrides):
    config = compose(*overrides)
    return build_network(config, 10, 1, 8, CPU)


@pytest.mark.parametrize("micro_batch", [1, 8, 16])
@pytest.mark.parametrize("family", ["model=vit depth=2", "depth=8 model.norm=none"])
def test_without_batch_norm_micro_batches_change_nothing_but_rounding(family, micro_batch):
    whole, parts = (after_a_step(build(*family.split()), m) for m in (None, micro_batch))
    for expected, found in zip(whole, parts):
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5)


def test_with_batch_norm_they_are_ghost_batches_of_the_same_size():
    """Its statistics are of each part alone, and so are its running averages."""
    ghost = build("depth=8")
    use_ghost_batches(ghost, 8)
    expected, found = after_a_step(ghost, None), after_a_step(build("depth=8"), 8)
    for one, other in zip(expected, found):
        torch.testing.assert_close(other, one, rtol=1e-3, atol=1e-5)
    whole = after_a_step(build("depth=8"), None)
    assert not torch.allclose(whole[0], found[0], rtol=1e-3)


def test_the_error_is_that_of_all_parts():
    network = resnet(Spec(depth=8, block="basic", in_channels=1, image_size=8))
    recipe = compose().recipe
    optimizer = make_optimizer(network, recipe)
    _, error = train_step(network.eval(), IMAGES, LABELS, optimizer, 0.0, "fp32", 8).tolist()
    wrong = (network(IMAGES).argmax(1) != LABELS).float().mean().item()
    assert error == pytest.approx(wrong)
