"""On CUDA a recorded step trains as the ordinary one, and waits for nothing between records."""

import json
import signal
import subprocess
import sys

import pytest
import torch

from resx.device import AHEAD
from resx.experiment import prepare
from resx.seeding import seed_noise
from resx.store import checkpoint
from resx.store.files import CHECKPOINT
from resx.training import update as updates
from resx.training.state import make_optimizer
from resx.training.update import WARM_UP, StaticUpdate, Update
from tests.models.golden import NETWORKS

pytestmark = pytest.mark.gpu
CASES = [f"{overrides} residual={r}" for overrides in NETWORKS.values() for r in ("true", "false")]
FURTHER = [
    "depth=8 model.drop_path=0.5",
    "depth=8 recipe.optimizer=adamw",
    "depth=8 recipe.nesterov=true",
    "depth=8 recipe.micro_batch=16",
    "depth=8 checkpoint_activations=true",
    "depth=8 data.pad=1 data.flip=true",
]
STEPS = 50
# A number of float32, so that the rate is the same as a number and as a tensor on the device.
LR = 0.015625
# Recorded and not, the same kernels run. Should sums round otherwise, training amplifies that (the
# golden losses of two processors: 2e-7 at first, up to 19 % at step 20), so that the first ten
# steps are compared one by one, and of the last ten the mean.
FIRST, LAST = 1e-3, 0.1
BF16 = 0.25  # of that mean: a number has three digits instead of seven


@pytest.fixture(autouse=True)
def algorithms_as_before():
    yield
    torch.backends.cudnn.benchmark = torch.backends.cudnn.deterministic = False


def updates_of(configure, text, recorded):
    experiment = prepare(configure("train", "device=cuda", *text.split()))
    # The same convolutions in both, and those that give equal bits.
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, True
    config, network = experiment.config, experiment.network.train()
    optimizer = make_optimizer(network, config.recipe)
    parts = config.precision, config.recipe.micro_batch
    update = Update(network, experiment.dataset, optimizer, *parts)
    return experiment, StaticUpdate(update, experiment.device) if recorded else update


def losses(configure, text, recorded, lr=LR):
    experiment, update = updates_of(configure, text, recorded)
    inputs = experiment.dataset.training_inputs(experiment.config.recipe.batch_size, 0, 1, STEPS)
    found = []
    for step, given in enumerate(inputs):
        seed_noise(0, step)
        found.append(update(given, lr if step < STEPS // 2 else lr / 4).outcome.clone())
    if recorded:
        assert update.graph is not None
    return torch.stack(found)[:, 0].tolist()


@pytest.mark.parametrize("text", [*CASES, *FURTHER])
def test_losses_of_recorded_steps_are_those_of_ordinary_ones(configure, text):
    """For 50 steps in float32: dropout's draws and a change of the rate included."""
    lr = LR / 16 if "adamw" in text or "vit" in text else LR
    ordinary, recorded = (losses(configure, text, r, lr) for r in (False, True))
    assert recorded[:10] == pytest.approx(ordinary[:10], rel=FIRST)
    last, expected = (sum(found[-10:]) / 10 for found in (recorded, ordinary))
    assert last == pytest.approx(expected, rel=LAST, abs=0.02)


@pytest.mark.parametrize("text", ["depth=8", "model=densenet depth=13"])
def test_losses_in_bf16_stay_near_those_in_float32(configure, text):
    whole, half = (losses(configure, f"{text} precision={p}", True) for p in ("fp32", "bf16"))
    assert half[0] == pytest.approx(whole[0], rel=0.02)
    assert sum(half[-10:]) == pytest.approx(sum(whole[-10:]), rel=BF16)


@pytest.mark.filterwarnings("ignore:Synchronization debug mode")  # is a prototype, it says once
@pytest.mark.parametrize(
    ("text", "recorded"),
    [*((text, True) for text in (*CASES, *FURTHER)), *((text, False) for text in FURTHER)],
)
def test_nothing_waits_for_the_device_between_records(configure, text, recorded):
    """With torch told to raise for whatever would; the first steps allocate.

    Long enough for the draws of the steps to be sent twice.
    """
    experiment, update = updates_of(configure, text, recorded)
    sums = torch.zeros(2, device="cuda")
    count = AHEAD + 8
    inputs = experiment.dataset.training_inputs(experiment.config.recipe.batch_size, 0, 1, count)
    try:
        for step, given in enumerate(inputs):
            if step == WARM_UP + 2:
                torch.cuda.set_sync_debug_mode("error")
            sums += update(given, LR / (1 + step)).outcome
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert sums.isfinite().all()


@pytest.mark.parametrize("at", [1, 3, 4, 7])
@pytest.mark.parametrize("options", [(), ("recipe.optimizer=adamw", "model.drop_path=0.5")])
def test_a_run_stopped_at_any_step_ends_as_the_uninterrupted_one(
    resx, tiny, tmp_path, monkeypatch, at, options
):
    """Before, while and after a step is recorded. The steps after a resume are ordinary again."""
    tiny = [*tiny, *options, "device=cuda", "deterministic=true"]
    assert resx("train", *tiny, "outputs=whole").code == 0
    calls = []
    step = StaticUpdate.__call__

    def interrupted(self, *arguments):
        calls.append(arguments)
        if len(calls) == at:
            signal.raise_signal(signal.SIGINT)
        return step(self, *arguments)

    monkeypatch.setattr(updates.StaticUpdate, "__call__", interrupted)
    assert resx("train", *tiny, "outputs=halves").code == 130
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert resx("train", *tiny, "outputs=halves").code == 0
    found = []
    for outputs in ("whole", "halves"):
        (run,) = tmp_path.glob(f"{outputs}/runs/*/*/*")
        lines = (run / "metrics.jsonl").read_text().splitlines()
        scores = [(r["loss"], r["step"], r["split"]) for r in map(json.loads, lines)]
        found.append((scores, checkpoint.load(run / CHECKPOINT)["state"]))
    (scores, whole), (others, halves) = found
    assert [s[1:] for s in scores] == [s[1:] for s in others]
    assert [s[0] for s in others] == pytest.approx([s[0] for s in scores], rel=FIRST)
    for name, value in whole["model"].items():
        torch.testing.assert_close(halves["model"][name], value, rtol=FIRST, atol=1e-5)
    assert halves["optimizer"]["param_groups"] == whole["optimizer"]["param_groups"]


def test_a_run_of_the_gpu_goes_on_on_the_cpu(resx, tiny, tmp_path):
    """A checkpoint holds no trace of how its steps were made."""
    assert resx("train", *tiny, "device=cuda", "precision=fp32").code == 0
    (run,) = tmp_path.glob("outputs/runs/*/*/*")
    state = checkpoint.load(run / CHECKPOINT)["state"]
    assert all(isinstance(group["lr"], float) for group in state["optimizer"]["param_groups"])
    assert resx("evaluate", f"run={run}", "device=cpu").code == 0


READING = """
import logging, torch
from resx.config.composing import compose
from resx.experiment import prepare
from resx.training.state import make_optimizer
from resx.training.update import WARM_UP, make_update

logging.basicConfig()
experiment = prepare(compose("depth=8", "device=cuda", "model.drop_path=0.5"))
network, recipe = experiment.network.train(), experiment.config.recipe
network.get_submodule("stem").register_forward_hook(lambda *found: found[-1].sum().item() and None)
parts = network, experiment.dataset, make_optimizer(network, recipe), recipe, "fp32"
update = make_update(*parts, graphs=True)
inputs = experiment.dataset.training_inputs(64, 0, 1, WARM_UP + 4)
outcomes = [update(given, 0.01).outcome.clone() for given in inputs]
assert update.graph is None
assert torch.stack(outcomes).isfinite().all()
"""


def test_a_step_that_cannot_be_recorded_goes_on_and_says_so(tmp_path):
    """Such as one that reads the device in its forward pass; in a process of its own."""
    command = [sys.executable, "-c", READING]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "steps are not recorded as a CUDA graph" in done.stderr
