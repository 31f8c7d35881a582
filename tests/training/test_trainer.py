"""The trainer learns, records what it says, and resumes bit for bit."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from resx.evaluation import evaluate, reestimated
from resx.models.parts.initialization import initialize
from resx.models.parts.network import Spec
from resx.models.resnet import resnet
from resx.models.vit import vit
from resx.store import checkpoint
from resx.store.files import CHECKPOINT
from resx.store.run import Run
from resx.training.state import make_optimizer
from resx.training.step import train_step
from tests.conftest import yamls


def records(run):
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    for row in rows:
        del row["seconds"]
    return rows


def weights(run):
    return checkpoint.load(run / CHECKPOINT)["state"]["model"]


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_one_batch_is_learned_by_heart(residual, optimizer, configure):
    lr = "recipe.lr=0.05" if optimizer == "sgd" else "recipe.lr=0.005"
    recipe = configure("train", f"recipe.optimizer={optimizer}", lr).recipe
    network = resnet(Spec(depth=8, residual=residual, block="basic", in_channels=1, image_size=8))
    initialize(network, 0)
    images, labels = torch.randn(32, 1, 8, 8), torch.arange(32) % 10
    update = make_optimizer(network, recipe)
    for _ in range(60):
        loss, _ = train_step(network, images, labels, update, recipe.lr).tolist()
    assert loss < 0.05


def test_a_step_is_sgd_with_momentum_and_weight_decay(configure):
    """v = m v + g + wd w; w = w - lr v, as torch.optim.SGD has it."""
    recipe = configure("train", "recipe.weight_decay=0.1").recipe
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    images, labels = torch.randn(5, 1, 2, 2), torch.tensor([0, 1, 2, 0, 1])
    weight = network[1].weight.detach().clone()
    velocity = torch.zeros_like(weight)
    optimizer = make_optimizer(network, recipe)
    for lr in (0.1, 0.02):
        loss = F.cross_entropy(images.flatten(1) @ weight.T + network[1].bias, labels)
        gradient = torch.autograd.grad(F.cross_entropy(network(images), labels), network[1].weight)[
            0
        ]
        velocity = 0.9 * velocity + gradient + 0.1 * weight
        weight = weight - lr * velocity
        outcome = train_step(network, images, labels, optimizer, lr)
        assert outcome[0].item() == pytest.approx(loss.item(), abs=1e-5)
        assert torch.allclose(network[1].weight, weight, atol=1e-6)


def test_records_say_what_happened(resx, tiny, only_run):
    assert resx("train", *tiny, "data.val_fraction=0.1").code == 0
    rows = records(only_run())
    train = [r for r in rows if r["split"] == "train"]
    assert [r["step"] for r in train] == [2, 4, 6, 8, 10, 12]
    for split in ("train_clean", "val", "test"):
        assert [r["step"] for r in rows if r["split"] == split] == [4, 8, 12]
    assert train[0]["epoch"] == pytest.approx(2 * 16 / (1437 - 144), abs=1e-4)
    assert all(0 <= r["error"] <= 1 for r in rows)


def test_clean_training_error_is_that_of_the_final_weights(resx, tiny, only_run, configure):
    from resx.data.loading import load_dataset
    from resx.models.building import build_network

    resx("train", *tiny)
    config, cpu = configure("train", *tiny), torch.device("cpu")
    dataset = load_dataset(config.data, cpu, only_run(), [])
    network = build_network(config, 10, 1, 8, cpu)
    network.load_state_dict(weights(only_run()))
    summary = json.loads((only_run() / "summary.json").read_text())
    for split in ("train_clean", "test"):
        score = evaluate(network, dataset.evaluation_batches(split, 100))
        running = summary["running_statistics"][split]
        assert running["error"] == pytest.approx(score.error, abs=1e-9)
        with reestimated(network, dataset, config.recipe, config.seed, 12, "fp32"):
            score = evaluate(network, dataset.evaluation_batches(split, 100))
        assert summary["final"][split]["error"] == pytest.approx(score.error, abs=1e-9)
        assert summary["final"][split]["loss"] != running["loss"]


def test_reestimated_batch_norm_changes_no_training(resx, tiny, only_run):
    """Weights, running averages and the running training error are those without it."""
    found = []
    for batches in (0, 3):
        resx("train", *tiny, f"recipe.bn_reestimate={batches}", f"outputs=out{batches}")
        (run,) = Path(f"out{batches}").glob("runs/*/*/*")
        found.append((weights(run), [r for r in records(run) if r["split"] == "train"]))
    assert equal(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]


def test_weight_decay_spares_norms_biases_and_tokens_if_asked(configure):
    network = vit(Spec(depth=1, block="encoder", in_channels=1, image_size=8))
    recipe = configure("train", "recipe.decay_norms=false", "recipe.weight_decay=0.1").recipe
    decayed, spared = make_optimizer(network, recipe).param_groups
    names = {id(p): n for n, p in network.named_parameters()}
    assert decayed["weight_decay"] == 0.1
    assert spared["weight_decay"] == 0
    assert all(names[id(p)].endswith("weight") for p in decayed["params"])
    kept = {names[id(p)] for p in spared["params"]}
    assert {"stem.class_token", "stem.positions.weight", "head.0.weight"} <= kept
    assert len(decayed["params"]) + len(kept) == len(names)


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("recipe.warmup=error", "recipe.warmup_min_depth=0"),
        ("data.pad=1", "data.flip=true", "model.drop_path=0.5"),
    ],
)
def test_a_stopped_and_resumed_run_equals_an_uninterrupted_one(
    resx, tiny, tmp_path, monkeypatch, options
):
    """Stopped by Ctrl-C after a step that is neither a record's nor a checkpoint's."""
    from resx.training import update

    resx("train", *tiny, *options, "outputs=whole")
    calls = []

    def interrupt(*arguments):
        calls.append(arguments)
        if len(calls) == 7:
            signal.raise_signal(signal.SIGINT)
        return train_step(*arguments)

    monkeypatch.setattr(update, "train_step", interrupt)
    stopped = resx("train", *tiny, *options, "outputs=halves")
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert stopped.code == 130
    assert "interrupted; the same command goes on" in stopped.err
    (half,) = tmp_path.glob("halves/runs/*/*/*")
    assert json.loads((half / "summary.json").read_text())["status"] == "interrupted"
    assert resx("train", *tiny, *options, "outputs=halves").code == 0
    (whole,) = tmp_path.glob("whole/runs/*/*/*")
    assert records(half) == records(whole)
    assert equal(weights(half), weights(whole))


@pytest.mark.parametrize("option", ["model.drop_path=0.5", "model.shortcut_dropout=0.5"])
def test_dropout_is_a_function_of_seed_and_step(resx, tiny, tmp_path, option):
    """Whatever torch's own generator did before."""
    tiny = [*tiny, "model=preact"] if option == "model.shortcut_dropout=0.5" else tiny
    for outputs in ("first", "second"):
        torch.manual_seed(len(outputs))
        assert resx("train", *tiny, option, f"outputs={outputs}").code == 0
    first, second = (next(tmp_path.glob(f"{o}/runs/*/*/*")) for o in ("first", "second"))
    assert records(first) == records(second)
    without = resx("train", *tiny, "outputs=without")
    assert without.code == 0
    assert records(next(tmp_path.glob("without/runs/*/*/*"))) != records(first)


def test_a_damaged_newest_checkpoint_costs_steps_but_not_the_result(resx, tiny, tmp_path):
    resx("train", *tiny, "outputs=whole")
    resx("train", *tiny, "outputs=other")
    (whole,), (other,) = (list(tmp_path.glob(f"{o}/runs/*/*/*")) for o in ("whole", "other"))
    (other / CHECKPOINT).write_bytes(b"PK\x03\x04 half")
    (other / "summary.json").unlink()
    assert (
        "repaired from checkpoint.previous.pt of step 8"
        in resx("train", *tiny, "outputs=other").out
    )
    assert records(other) == records(whole)
    assert equal(weights(other), weights(whole))


@pytest.mark.slow
def test_killed_ten_times_at_random_moments_it_ends_bit_identical(tmp_path):
    """SIGKILL, then the same command, ten times: before the first step, within, while saving."""
    command = [sys.executable, "-m", "resx", "train", "depth=8", "recipe.steps=2000"]
    command += ["recipe.save_every=5"]
    subprocess.run([*command, "outputs=whole"], cwd=tmp_path, check=True, capture_output=True)
    moments, reached = random.Random(0), []
    for _ in range(10):
        process = subprocess.Popen(
            [*command, "outputs=killed"], cwd=tmp_path, stdout=subprocess.PIPE
        )
        for _ in range(moments.randrange(20)):
            process.stdout.readline()  # a record every ten steps, so 2,000 steps outlast the kills
        time.sleep(moments.uniform(0.0, 0.1))
        process.kill()
        process.communicate()
        reached += [Run(p.parent).last_step() for p in tmp_path.glob("killed/runs/*/*/*/m*.jsonl")]
    assert len(set(reached)) > 3  # the kills fell into training, not all before it
    done = subprocess.run([*command, "outputs=killed"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0
    (whole,), (killed,) = (list(tmp_path.glob(f"{o}/runs/*/*/*")) for o in ("whole", "killed"))
    assert records(killed) == records(whole)
    assert equal(weights(killed), weights(whole))


def test_twins_see_identical_batches_whatever_the_network(configure, tmp_path):
    from resx.data.loading import load_dataset

    batches = []
    for override in ("residual=true", "residual=false"):
        config = configure("train", override, "seed=5")
        dataset = load_dataset(config.data, torch.device("cpu"), tmp_path, [])
        batches.append(next(dataset.training_batches(64, config.seed, 1)))
    assert torch.equal(batches[0][0], batches[1][0])
    assert torch.equal(batches[0][1], batches[1][1])


def test_a_loss_that_is_not_finite_ends_the_run_as_diverged(resx, tiny, only_run):
    options = [*tiny, "recipe.lr=1e30", "recipe.warmup=none", "model.norm=none"]
    answer = resx("train", *options)
    summary = json.loads((only_run() / "summary.json").read_text())
    assert (answer.code, summary["status"]) == (0, "diverged")
    assert summary["final"] == {}
    assert "diverged" in resx("train", *options).out  # a result: it is not tried again


def test_a_clean_loss_that_is_not_finite_is_a_record_and_no_divergence(resx, tiny, only_run):
    """Running statistics may be anything while the training loss is fine."""
    from resx.training import trainer

    class Broken(trainer.Trainer):
        def _record(self, lr):
            norm = next(m for m in self.state.network.modules() if hasattr(m, "running_var"))
            norm.running_var.fill_(float("nan"))
            super()._record(lr)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("resx.training.session.Trainer", Broken)
        assert resx("train", *tiny, "recipe.bn_reestimate=0").code == 0
    summary = json.loads((only_run() / "summary.json").read_text())
    assert summary["status"] == "finished"
    assert summary["final"]["train_clean"]["loss"] != summary["final"]["train_clean"]["loss"]
    assert 0 < summary["final"]["train"]["loss"] < 10


@pytest.mark.slow
def test_the_papers_warmup_ends_once_the_error_is_below_80_percent(resx, only_run):
    resx(
        *("train", "depth=8", "recipe.warmup=error", "recipe.warmup_min_depth=0"),
        *("recipe.steps=160", "recipe.schedule=multistep"),
    )
    summary = json.loads((only_run() / "summary.json").read_text())
    end = summary["warmup_end"]
    rates = {r["step"]: r["lr"] for r in records(only_run()) if r["split"] == "train"}
    assert end in (50, 100, 150)
    assert all(rate == (0.01 if step <= end else 0.05) for step, rate in rates.items())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "batch norm takes its statistics over 4 images instead of 16, so that results are"),
        (("recipe.bn_batch=8",), "over 4 images instead of 8"),
        (("recipe.bn_batch=2",), "as accurately as those of the whole batch"),
        (("model.norm=none",), "as accurately as those of the whole batch"),
    ],
)
def test_micro_batches_say_what_they_change(resx, tiny, options, said):
    answer = resx("train", *tiny, "recipe.micro_batch=4", *options)
    assert answer.code == 0
    assert "recipe.micro_batch=4: the gradients of 4 parts a step are summed up" in answer.out
    assert said in answer.out


@pytest.mark.parametrize("name", yamls("recipe"))
def test_every_recipe_yaml_trains(name, resx, only_run):
    """A few steps each; milestones and warm-ups beyond them do no harm."""
    answer = resx(
        *("train", f"recipe={name}", "depth=8", "model.width=2", "recipe.steps=3"),
        *("recipe.batch_size=8", "data.subset=50"),
    )
    assert answer.code == 0
    assert json.loads((only_run() / "summary.json").read_text())["recipe"] == name


@pytest.mark.gpu
@pytest.mark.parametrize("residual", ["true", "false"])
@pytest.mark.parametrize("name", yamls("model"))
def test_every_family_trains_on_cuda(resx, only_run, name, residual):
    options = ("recipe.steps=30", "recipe.optimizer=adamw", "recipe.lr=0.002", "precision=bf16")
    answer = resx("train", f"model={name}", f"residual={residual}", "device=cuda", *options)
    assert answer.code == 0, answer.err
    assert json.loads((only_run() / "summary.json").read_text())["status"] == "finished"


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_cuda_trains_to_the_same_error_as_the_cpu(resx, tmp_path, precision):
    for device in ("cpu", "cuda"):
        answer = resx(
            *("train", "depth=20", f"device={device}", f"precision={precision}"),
            f"outputs={device}",
        )
        assert answer.code == 0
    errors = [
        json.loads(path.read_text())["final"]["train_clean"]["error"]
        for path in tmp_path.glob("*/runs/*/*/*/summary.json")
    ]
    assert max(errors) < 0.02
