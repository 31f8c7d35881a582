"""The learning rate is a pure function of the step."""

import pytest
import torch
from torch import nn

from resx.config.schema import RecipeConfig
from resx.training.schedule import learning_rate, planned_warmup_end
from resx.training.state import State
from resx.training.trainer import watch_warmup


def test_multistep_drops_after_each_milestone(configure):
    """He 2015, Sec. 4.2: 0.1, divided by 10 at 32k and 48k, stop at 64k."""
    recipe = configure("train", "recipe=he2015_cifar").recipe
    rates = [learning_rate(s, recipe, 0) for s in (1, 32_000, 32_001, 48_000, 48_001, 64_000)]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])


def test_a_warmup_that_never_ends_by_the_error_ends_at_its_limit(configure, caplog):
    recipe = configure("train", "recipe.warmup=error", "recipe.warmup_limit=120").recipe
    network = nn.Linear(2, 2)
    state = State.start(network, recipe, depth=110)
    for state.step in range(1, 151):
        if state.warmup_end is None:
            watch_warmup(state, torch.tensor([2.0, 0.9]), recipe)
    assert state.warmup_end == 120
    assert "ends at its limit, step 120" in caplog.text


def test_cosine_goes_from_lr_to_zero():
    recipe = RecipeConfig(name="x", steps=100, lr=0.4, schedule="cosine")
    rates = [learning_rate(step, recipe, 0) for step in (1, 51, 101)]
    assert rates == pytest.approx([0.4, 0.2, 0.0])


def test_linear_warmup_reaches_lr_at_its_last_step_and_cosine_follows():
    recipe = RecipeConfig(
        name="x", steps=110, lr=0.1, schedule="cosine", warmup="linear", warmup_steps=10
    )
    end = planned_warmup_end(recipe, depth=20)
    rates = [learning_rate(step, recipe, end) for step in (1, 10, 11, 61)]
    assert rates == pytest.approx([0.01 + 0.009, 0.1, 0.1, 0.05])


def test_the_papers_warmup_is_for_110_layers_and_ends_by_the_error(configure):
    """0.01 until the training error is below 80 %, then 0.1 (He 2015, Sec. 4.2)."""
    recipe = configure("train", "recipe=he2015_cifar").recipe
    assert planned_warmup_end(recipe, depth=56) == 0
    assert planned_warmup_end(recipe, depth=110) is None
    assert learning_rate(300, recipe, None) == 0.01
    assert learning_rate(400, recipe, 400) == 0.01
    assert learning_rate(401, recipe, 400) == 0.1
