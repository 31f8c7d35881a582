"""A step that cannot fit is refused before the work, with the estimate and what needs less."""

import pytest
import torch

from resx.errors import RequestError
from resx.experiment import prepare
from resx.training import memory
from resx.training.memory import needs, refuse_large_step
from tests.commands.answers import assert_refused


@pytest.fixture
def experiment(configure):
    def make(*overrides):
        return prepare(configure("train", "depth=20", "device=cpu", *overrides))

    return make


def pretend(monkeypatch, total, free):
    monkeypatch.setattr(memory, "total_memory", lambda device: total)
    monkeypatch.setattr(memory, "available_memory", lambda device: free)


@pytest.mark.slow
def test_what_a_step_needs_counts_precision_checkpoints_micro_batches_and_the_optimizer(
    experiment,
):
    def of(*overrides):
        e = experiment(*overrides)
        return needs(e.network, e.config.recipe, (1, 32), 128, e.config.precision)

    plain = of()
    weights = 4 * sum(p.numel() for p in experiment().network.parameters())
    assert of("precision=bf16").activations == pytest.approx(plain.activations / 2, rel=0.01)
    assert of("recipe.micro_batch=32", "recipe.batch_size=128").activations == pytest.approx(
        plain.activations / 4, rel=0.02
    )
    assert of("checkpoint_activations=true").step < 0.6 * plain.step
    assert of("recipe.optimizer=adamw").step == plain.step + weights


def test_a_step_larger_than_the_machine_is_refused_in_one_line(resx, monkeypatch):
    pretend(monkeypatch, total=10**6, free=10**6)
    answer = resx("train", "depth=20")
    assert_refused(answer, "a step of ResNet-20 (cifar layout, basic, shortcut A) needs about")
    assert "checkpoint_activations=true needs" in answer.err
    assert "recipe.micro_batch" in answer.err


def test_one_larger_than_what_is_free_is_warned_of(resx, tiny, monkeypatch):
    pretend(monkeypatch, total=10**12, free=10**4)
    answer = resx("train", *tiny)
    assert answer.code == 0
    assert "needs about 0.0 GB, and 0.0 GB are free on cpu" in answer.out + answer.err


def test_one_that_fits_is_not_followed_tensor_by_tensor(experiment, monkeypatch):
    def never(*arguments):
        raise AssertionError

    monkeypatch.setattr(memory, "step_memory", never)
    refuse_large_step(experiment())


@pytest.mark.parametrize("model", ["resnet", "densenet", "vit"])
def test_the_bound_that_decides_that_is_above_the_estimate(experiment, model):
    depth = {"resnet": 20, "densenet": 16, "vit": 2}[model]
    e = experiment(f"model={model}", f"depth={depth}")
    assert needs(
        e.network, e.config.recipe, (1, 8), e.config.recipe.batch_size, "fp32"
    ).step < memory._at_most(e)
    assert e.network.training


def test_a_refusal_is_a_request_error(experiment, monkeypatch):
    pretend(monkeypatch, total=1, free=1)
    e = experiment("checkpoint_activations=true")
    with pytest.raises(RequestError, match=r"recipe\.micro_batch or another recipe\.batch_size"):
        refuse_large_step(e)
    assert torch.is_grad_enabled()
