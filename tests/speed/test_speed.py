"""A loop pays for each batch of its turn; the bound is of the products that a step computes."""

from collections import Counter
from itertools import islice

import pytest
import torch
from torch import nn

from resx.experiment import prepare
from resx.models.parts.network import Spec
from resx.models.resnet import resnet
from resx.speed import bound as bounds
from resx.speed.bound import bound
from resx.speed.ours import Ours, phases
from resx.speed.textbook import Textbook


@pytest.fixture
def experiment(configure):
    return prepare(configure("train", "depth=8", "recipe.batch_size=16"))


def test_the_textbook_loop_fetches_no_batch_for_a_later_turn(experiment):
    loop = Textbook(experiment.network, experiment.dataset, batch_size=16, workers=0)
    asked = Counter()
    get = loop.images.transform
    loop.images.transform = lambda image: (asked.update(["image"]), get(image))[1]
    for _ in range(2):
        for fetched in loop.fetch(3):
            loop.train(fetched)
    assert asked["image"] == 2 * 3 * 16


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_a_turn_has_as_many_batches_as_steps(experiment, workers):
    loop = Textbook(experiment.network, experiment.dataset, batch_size=16, workers=workers)
    assert [len(list(loop.fetch(n))) for n in (1, 3, 3)] == [1, 3, 3]
    ours = Ours(experiment.network, experiment.dataset, experiment.config.recipe, 0, "fp32")
    assert [len(list(ours.fetch(n))) for n in (1, 3)] == [1, 3]


def test_our_turns_go_on_where_the_last_one_ended(experiment):
    ours = Ours(experiment.network, experiment.dataset, experiment.config.recipe, 0, "fp32")
    turns = [*ours.fetch(2), *ours.fetch(2)]
    straight = experiment.dataset.training_batches(16, 0, first_step=1)
    for fetched, (expected, _) in zip(turns, islice(straight, 4)):
        assert torch.equal(ours.batch(fetched)[0], expected)


def test_the_bound_is_of_every_convolution_forward_and_backward(monkeypatch):
    """ResNet-8 has seven convolutions and a classifier, whose gradient takes two products."""
    counted = Counter()
    calls = bounds._Products.calls

    def spy(recorded):
        for key, count in recorded.counts.items():
            kind = "convolution_backward" if "convolution_backward" in key else key.split(".")[1]
            counted[kind] += count
        return calls(recorded)

    monkeypatch.setattr(bounds._Products, "calls", spy)
    network = resnet(Spec(depth=8, residual=True, block="basic", in_channels=1, image_size=8))
    seconds = bound(network.train(), torch.randn(4, 1, 8, 8), torch.arange(4), "fp32")
    assert counted["convolution"] == counted["convolution_backward"] == 7
    assert counted["addmm"] == 1 and counted["mm"] == 2
    assert seconds.products > 0 and seconds.traffic > 0
    assert all(p.grad is None for p in network.parameters())


def test_what_must_move_is_five_halves_of_a_copy_for_each_norm_and_for_the_update(monkeypatch):
    """And a copy of the sum for a shortcut; a copy is made to cost its number of elements."""
    monkeypatch.setattr(bounds, "_copying", lambda numel, dtype, device: numel)
    images, labels = torch.randn(8, 4, 6, 6), torch.zeros(8, dtype=torch.long)
    norms = nn.Sequential(nn.BatchNorm2d(4), nn.BatchNorm2d(4))
    norms.shortcut = nn.Identity()
    network = nn.Sequential(norms, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    found = bound(network, images, labels, "fp32")
    size, parameters = images.numel(), 16
    assert found.traffic == (2 * 2.5 + 1) * size + 2.5 * parameters
    assert found.products == 0


def test_the_parts_of_a_step_are_all_timed(experiment):
    ours = Ours(experiment.network, experiment.dataset, experiment.config.recipe, 0, "fp32")
    parts = phases(ours)
    assert parts._fields == ("fetch", "forward", "backward", "update")
    assert min(parts) > 0
