"""A step on inputs that stay in their place, as a CUDA graph needs it, is the ordinary step.

Here on the CPU, where the same code runs without being recorded; tests/training/test_cuda.py has
what only a GPU can show.
"""

import json
from itertools import islice

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from resx.experiment import prepare
from resx.seeding import seed_noise
from resx.store import checkpoint
from resx.store.files import CHECKPOINT
from resx.training import trainer
from resx.training.state import make_optimizer
from resx.training.update import StaticUpdate, Update, capturable, may_be_recorded
from tests.models.golden import NETWORKS

CPU = torch.device("cpu")
FAMILIES = [f"{overrides} residual={r}" for overrides in NETWORKS.values() for r in (True, False)]
FURTHER = [
    "depth=8 model.drop_path=0.5",
    "depth=8 recipe.optimizer=adamw recipe.lr=0.001",
    "depth=8 recipe.momentum=0.9 recipe.nesterov=true",
    "depth=8 recipe.micro_batch=16",
    "depth=8 checkpoint_activations=true",
    "depth=8 data.pad=1 data.flip=true",
    "depth=8 precision=bf16",
]
READS = {
    *(torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default),
    *(torch.ops.aten.equal.default, torch.ops.aten.masked_select.default),
}


class Operations(TorchDispatchMode):
    """What is computed, with the shapes of the operands."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        shapes = [tuple(a.shape) for a in args if isinstance(a, torch.Tensor)]
        self.found.append((func, shapes))
        return func(*args, **(kwargs or {}))


def update_of(configure, text):
    experiment = prepare(configure("train", "device=cpu", *text.split()))
    config = experiment.config
    network, recipe = experiment.network.train(), config.recipe
    optimizer = make_optimizer(network, recipe)
    update = Update(network, experiment.dataset, optimizer, config.precision, recipe.micro_batch)
    return experiment, update


def few_steps(experiment, update, count=4):
    """Outcomes, batches and weights; the learning rate changes on the way."""
    found = []
    inputs = experiment.dataset.training_inputs(experiment.config.recipe.batch_size, 0, 1, count)
    for step, given in enumerate(inputs):
        seed_noise(0, step)
        updated = update(given, 0.05 if step < 2 else 0.003)
        found += [part.clone() for part in updated]
    return [*found, *experiment.network.state_dict().values()]


@pytest.mark.parametrize("text", [*FAMILIES, *FURTHER])
def test_the_static_step_is_the_ordinary_one_bit_for_bit(configure, text):
    ordinary = few_steps(*update_of(configure, text))
    experiment, update = update_of(configure, text)
    static = few_steps(experiment, StaticUpdate(update, CPU))
    assert all(torch.equal(a, b) for a, b in zip(ordinary, static, strict=True))


@pytest.mark.parametrize("text", [*FAMILIES, *FURTHER])
def test_a_step_reads_nothing_from_the_device_and_repeats_itself(configure, text):
    """Every step computes the same operations on the same shapes: it can be recorded once."""
    experiment, update = update_of(configure, text)
    inputs = experiment.dataset.training_inputs(experiment.config.recipe.batch_size, 0, 1)
    update(next(inputs), 0.05)  # makes the optimizer's buffers
    steps = []
    for given in islice(inputs, 2):
        with Operations() as operations:
            update(given, 0.05)
        steps.append(operations.found)
    assert steps[0] == steps[1]
    assert READS.isdisjoint(func for func, _ in steps[0])


def test_inputs_and_learning_rate_stay_in_their_place(configure):
    experiment, update = update_of(configure, "depth=8")
    static = StaticUpdate(update, CPU)
    places = set()
    for step, given in enumerate(experiment.dataset.training_inputs(64, 0, 1, 3)):
        static(given, 0.1 / (1 + step))
        places.add((static.inputs[0].data_ptr(), static.lr.data_ptr()))
        assert torch.equal(static.inputs[0], given[0])
        assert static.lr.item() == 0.1 / (1 + step)
    assert len(places) == 1


def run_of(folder):
    (path,) = folder.glob("runs/*/*/*")
    records = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    state = checkpoint.load(path / CHECKPOINT)["state"]
    return [r | {"seconds": 0} for r in records], state["model"], state["optimizer"]


@pytest.mark.parametrize("options", [(), ("recipe.optimizer=adamw", "model.drop_path=0.5")])
def test_a_run_of_static_steps_is_the_ordinary_run_and_resumes(
    resx, tiny, tmp_path, monkeypatch, options
):
    """Checkpoints are alike, so that either kind goes on with a run of the other."""
    assert resx("train", *tiny, *options, "outputs=ordinary").code == 0

    def static(forward, dataset, optimizer, recipe, precision, graphs):
        assert graphs
        return StaticUpdate(Update(forward, dataset, optimizer, precision), CPU)

    monkeypatch.setattr(trainer, "make_update", static)
    assert resx("train", *tiny, *options, "outputs=static").code == 0
    ordinary, other = run_of(tmp_path / "ordinary"), run_of(tmp_path / "static")
    assert ordinary[0] == other[0]
    assert all(torch.equal(ordinary[1][k], other[1][k]) for k in ordinary[1])
    assert ordinary[2]["param_groups"] == other[2]["param_groups"]


def test_a_step_that_reads_the_random_state_is_not_recorded(configure):
    """Blocks that draw numbers draw them again when they are computed again."""
    twice = "checkpoint_activations=true"
    for text, recorded in [
        ("depth=8", True),
        ("depth=8 model.drop_path=0.1", True),
        (f"depth=8 {twice}", True),
        (f"depth=8 model.drop_path=0.1 {twice}", False),
        ("depth=8 cuda_graphs=false", False),
    ]:
        experiment, _ = update_of(configure, text)
        assert may_be_recorded(experiment.config, experiment.network) is recorded


def test_adam_is_capturable_only_while_it_is_captured(configure):
    """Else torch warns at every step that is not, and a checkpoint would say so to the CPU."""
    _, update = update_of(configure, "depth=8 recipe.optimizer=adamw")
    with capturable(update.optimizer):
        assert all(group["capturable"] for group in update.optimizer.param_groups)
    assert not any(group["capturable"] for group in update.optimizer.param_groups)
