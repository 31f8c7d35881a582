"""One run on two processes is the run of one, up to the order of sums."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from resx.errors import RequestError
from resx.training.sharing import shared
from tests.conftest import yamls
from tests.training.pair import NETWORKS

ROOT = Path(__file__).parents[2]
TORCHRUN = (sys.executable, "-m", "torch.distributed.run")
FEW = ("recipe.batch_size=32", "recipe.record_every=2", "recipe.eval_every=4", "recipe.steps=8")
FURTHER = [
    ("depth=8", "model.drop_path=0.5", "data.pad=1", "data.flip=true"),
    ("model=wide", "depth=10", "model.widening=1", "model.dropout=0.3"),
    ("depth=8", "recipe.optimizer=adamw", "recipe.lr=0.001", "data.val_fraction=0.1"),
    ("depth=8", "checkpoint_activations=true", "recipe.warmup=error"),
    ("depth=8", "precision=bf16"),
]
# Runs that two processes make as one alone does, without a word.
EQUAL = [
    ("depth=8", "recipe.bn_batch=8"),
    ("depth=8", "recipe.micro_batch=8"),
    ("depth=8", "recipe.micro_batch=8", "recipe.bn_batch=4"),
]


def environment():
    return os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "OMP_NUM_THREADS": "1"}


def torchrun(*arguments, processes=2):
    command, env = [*TORCHRUN, f"--nproc-per-node={processes}", "-m", *arguments], environment()
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=600)


def on_two(requests):
    Path("requests.json").write_text(json.dumps(requests))
    done = torchrun("tests.training.pair", "requests.json")
    assert done.returncode == 0, done.stderr


def records(outputs):
    """Without seconds, of each run below a folder, by its directory."""
    found = {}
    for path in sorted(Path(outputs).glob("runs/*/*/*/metrics.jsonl")):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        name = str(path.parent.relative_to(outputs))
        found[name] = [{k: v for k, v in row.items() if k != "seconds"} for row in rows]
    return found


def assert_equal_runs(found, expected, rtol):
    assert found.keys() == expected.keys()
    for name, rows in expected.items():
        assert len(rows) == len(found[name]) > 0
        for one, other in zip(rows, found[name]):
            assert {**one, "loss": 0, "error": 0} == {**other, "loss": 0, "error": 0}
            assert other["loss"] == pytest.approx(one["loss"], rel=rtol), (name, one)
            assert other["error"] == pytest.approx(one["error"], abs=0.01), (name, one)


@pytest.mark.slow
def test_records_of_two_processes_are_those_of_one(resx):
    """Of every family and its twin; most nets in two parts, those with draws, too, and in bf16."""
    families = [
        (f"model={name}", *NETWORKS[name], f"residual={residual}")
        for name in yamls("model")
        for residual in ("true", "false")
    ]
    on_two([[*request, *FEW, "outputs=two"] for request in [*families, *FURTHER, *EQUAL]])
    for request in [*families, *FURTHER, *EQUAL]:
        parts = () if "model=vit" in request or request in EQUAL else ("recipe.micro_batch=16",)
        assert resx("train", *request, *FEW, *parts, "outputs=one").code == 0
    assert_equal_runs(records("two"), records("one"), rtol=1e-5)


@pytest.mark.slow
def test_synchronized_batch_norm_makes_the_run_of_one_process(resx):
    """Few steps: where rounding turns a ReLU on or off, differences grow."""
    few = (*FEW[:-1], "recipe.steps=4")
    families = [(f"model={name}", *NETWORKS[name]) for name in yamls("model")]
    half = ("depth=8", "precision=bf16", *few, "sync_batch_norm=true", "outputs=half-two")
    on_two([half, *([*few, *f, "sync_batch_norm=true", "outputs=two"] for f in families)])
    for request in families:
        assert resx("train", *few, *request, "outputs=one").code == 0
    assert_equal_runs(records("two"), records("one"), rtol=1e-4)
    assert resx("train", *half, "outputs=half-one").code == 0
    assert_equal_runs(records("half-two"), records("half-one"), rtol=5e-3)


@pytest.mark.slow
def test_synchronized_batch_norm_has_the_gradients_of_the_whole_batch():
    done = torchrun("tests.training.pair", "norms")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_streamed_images_are_decoded_by_their_process_alone(resx, image_tree):
    root = image_tree("photos", (80, 70), ("train", "test"), "jpg", each=9)
    request = ("data=folder", f"data.root={root}", "data.image_size=64", "data.colour_noise=0.1")
    request += ("data.crops=10", "data.workers=1", "depth=18", "model.width=4", "recipe.lr=0.01")
    request += ("recipe.batch_size=8", "recipe.steps=4", "recipe.record_every=2")
    request += ("recipe.eval_every=2",)
    on_two([[*request, "outputs=two"]])
    assert resx("train", *request, "recipe.micro_batch=4", "outputs=one").code == 0
    assert_equal_runs(records("two"), records("one"), rtol=1e-4)


# Of three, sums have an order: on the CPU what goes on is what was not interrupted, bit for bit.
LONG = ("depth=14", "model.width=2", "recipe.batch_size=18", "recipe.steps=200")
LONG += ("recipe.record_every=10", "recipe.eval_every=100", "recipe.save_every=20")


def on_three(outputs):
    return torchrun("resx", "train", *LONG, f"outputs={outputs}", processes=3)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The outputs of a run that nothing interrupts."""
    outputs = tmp_path_factory.mktemp("whole")
    done = on_three(outputs)
    assert done.returncode == 0, done.stderr
    return outputs


def start_and_signal(number, rank):
    """Of three processes one gets a signal once a checkpoint is there; torchrun's exit code."""
    command = [*TORCHRUN, "--nproc-per-node=3", "-m", "resx", "train", *LONG, "outputs=ended"]
    with subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as agent:
        while not [*Path("ended").glob("runs/*/*/*/checkpoint.pt")]:
            assert agent.poll() is None, agent.stderr.read()
            time.sleep(0.02)
        os.kill(process_of(agent.pid, rank), number)
        _, said = agent.communicate(timeout=120)
    return agent.returncode, said


def process_of(agent, rank):
    children = Path(f"/proc/{agent}/task/{agent}/children").read_text().split()
    (found,) = [
        int(pid)
        for pid in children
        if f"\0RANK={rank}\0" in "\0" + Path(f"/proc/{pid}/environ").read_text()
    ]
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("number", "rank"), [("SIGKILL", 1), ("SIGKILL", 0), ("SIGTERM", 1)])
def test_a_run_that_one_process_left_goes_on_to_the_same_records(resx, whole, number, rank):
    code, said = start_and_signal(getattr(signal, number), rank)
    assert code == 1
    (directory,) = Path("ended").glob("runs/*/*/*")
    before = json.loads((directory / "summary.json").read_text())
    # The first process cannot note its own death; without a lock it counts as interrupted.
    assert before["status"] == ("running" if (number, rank) == ("SIGKILL", 0) else "interrupted")
    if number == "SIGTERM":
        assert before["step"] < 200
        assert said.count("interrupted; the same command goes on from here") == 1
    again = on_three("ended")
    assert again.returncode == 0, again.stderr
    assert records("ended") == records(whole)


@pytest.mark.slow
def test_a_process_that_ends_right_after_an_exchange_does_not_abort():
    """With `sys.exit` it does in three of four tries, so four are made."""
    for _ in range(4):
        done = torchrun("tests.training.last_exchange")
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_run_that_is_over_is_found_again_by_all(whole):
    again = on_three(whole)
    assert again.returncode == 0
    assert again.stdout.count("finished: ResNet-14") == 1
    assert "step 10/200" not in again.stdout


PHOTOS = ("data=folder", "data.root=photos", "data.image_size=32", "depth=8", "model.width=2")
PHOTOS += ("recipe=digits", "recipe.batch_size=4", "recipe.steps=2", "recipe.record_every=1")
PHOTOS += ("recipe.eval_every=2", "recipe.warmup_steps=1")


@pytest.mark.slow
def test_a_run_of_the_same_images_in_another_place_is_over_for_all(resx, image_tree):
    image_tree("photos", (40, 30), ("train", "test"), each=9)
    shutil.copytree("photos", "elsewhere", copy_function=shutil.copy2)
    for root in ("photos", "elsewhere"):
        done = torchrun("resx", "train", *PHOTOS, f"data.root={root}")
        assert done.returncode == 0, done.stderr
    assert "resumed" not in done.stderr + done.stdout
    assert len([*Path().glob("outputs/runs/*/*/*")]) == 1


@pytest.mark.slow
def test_processes_with_other_images_are_refused(resx, image_tree):
    for host in range(2):
        image_tree(f"host{host}/photos", (40, 30), ("train", "test"), each=9)
    next(Path("host1/photos").glob("train/*/*")).unlink()
    Path("requests.json").write_text(json.dumps([PHOTOS]))
    done = torchrun("tests.training.pair", str(Path("requests.json").absolute()), "apart")
    assert done.returncode == 1
    assert "resx train: not all processes have the same images" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("request_", "line"),
    [
        (("train", "dpeth=8"), "unknown setting 'dpeth'; did you mean 'depth'?"),
        (("train", "depth=8", "recipe.batch_size=15"), "no multiple of 2 processes"),
        (("train", "depth=8", "recipe.batch_size=4000"), "more than the 1,437 training images"),
        (("train", "-m", "depth=8,14"), "several processes (torchrun) share one run"),
        (("study", "degradation"), "several processes (torchrun) share one run"),
    ],
)
def test_a_wrong_request_gets_one_line_of_all_processes(tmp_path, monkeypatch, request_, line):
    monkeypatch.chdir(tmp_path)
    done = torchrun("resx", *request_)
    assert done.returncode == 1
    said = [x for x in done.stderr.splitlines() if x.startswith(f"resx {request_[0]}: ")]
    assert len(said) == 1 and line in said[0]
    assert "exitcode  : 2" in done.stderr
    assert "[rank" not in done.stderr  # as torch begins the lines of a traceback


@pytest.mark.parametrize(
    ("overrides", "micro_batch"),
    [
        ((), 32),
        (("sync_batch_norm=true",), None),
        (("model.norm=none",), None),
        (("model=vit", "depth=2"), None),
        (("model.drop_path=0.1",), 32),
        (("model.norm=none", "model.drop_path=0.1"), 32),
        (("recipe.micro_batch=16",), 16),
        (("recipe.micro_batch=16", "sync_batch_norm=true"), 16),
        (("recipe.bn_batch=16",), None),
        (("recipe.bn_batch=24",), 32),
    ],
)
def test_processes_share_the_run_that_one_makes_in_parts(configure, overrides, micro_batch):
    """`depth` 8 at a batch of 64 on two: which recipe.micro_batch it becomes, unset for none."""
    request = () if "model=vit" in overrides else ("depth=8",)
    config = configure("train", *request, *overrides)
    expected = replace(config, recipe=replace(config.recipe, micro_batch=micro_batch))
    assert shared(config, 2) == expected


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (("recipe.batch_size=63",), "recipe.batch_size=63: no multiple of 2 processes"),
        (("recipe.micro_batch=64", "recipe.batch_size=128"), None),
        (("recipe.micro_batch=32", "recipe.batch_size=96"), "micro_batch=32: must divide 48"),
        (("recipe.micro_batch=64", "recipe.batch_size=192"), "micro_batch=64: must divide 96"),
        (("recipe.micro_batch=64", "recipe.batch_size=64"), None),
        (("model.drop_path=0.1", "sync_batch_norm=true"), "sync_batch_norm=true: not with"),
        (("recipe.bn_batch=24", "sync_batch_norm=true"), "bn_batch=24: must divide 32"),
    ],
)
def test_what_cannot_be_shared_is_refused(configure, overrides, line):
    config = configure("train", "depth=8", *overrides)
    if line is None:
        shared(config, 2)
        return
    with pytest.raises(RequestError, match=line):
        shared(config, 2)
