"""What damage comes to at the command line: named in a line, repaired, or trained again."""

import io
import json
import os
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import torch

from resx import cli
from resx.store import checkpoint
from resx.store.files import CHECKPOINT, PREVIOUS_CHECKPOINT
from tests.commands.answers import assert_refused
from tests.conftest import TINY

SCRIPT = Path(__file__).parents[2] / "scripts" / "faults.py"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The outputs of one run."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()):
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["resx", "train", *TINY])
        assert cli.main() == 0
    return folder / "outputs"


@pytest.fixture
def run(trained, tmp_path):
    """A copy of it where commands are typed."""
    shutil.copytree(trained, tmp_path / "outputs")
    (directory,) = tmp_path.glob("outputs/runs/*/*/*")
    return directory


def records(run):
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [row | {"seconds": 0} for row in rows]


def weights(run):
    return checkpoint.load(run / CHECKPOINT)["state"]["model"]


def spoil_summary(run):
    (run / "summary.json").write_text("null")


def spoil_config(run):
    (run / "config.yaml").write_text("depth: [")


def spoil_records(run):
    lines = (run / "metrics.jsonl").read_text().replace('"step": 2,', '"step": "2",', 1)
    (run / "metrics.jsonl").write_text(lines)


def spoil_the_end(run):
    """Of the records, after those that the checkpoint before the last counts."""
    lines = (run / "metrics.jsonl").read_text().splitlines(keepends=True)
    (run / "metrics.jsonl").write_text("".join([*lines[:-1], "[" * 100_000 + "\n"]))


def spoil_newest(run):
    (run / CHECKPOINT).write_text("hello")
    spoil_summary(run)


def leave_a_hole(run):
    """As a power cut would, were records not flushed before checkpoints."""
    lines = (run / "metrics.jsonl").read_text().splitlines(keepends=True)
    (run / "metrics.jsonl").write_text("".join(lines[:-3]))
    summary = json.loads((run / "summary.json").read_text()) | {"status": "running"}
    del summary["checksum"]
    (run / "summary.json").write_text(json.dumps(summary))


def change_a_number(run):
    """In a record of a run that is not over, which has no checksum in its summary."""
    leave_a_hole(run)
    lines = (run / "metrics.jsonl").read_text().splitlines(keepends=True)
    lines[0] = lines[0].replace('"loss": 2', '"loss": 1')
    (run / "metrics.jsonl").write_text("".join(lines))


def put_a_folder_in_place(run):
    for name in ("summary.json", CHECKPOINT):
        (run / name).unlink()
        (run / name).mkdir()


REPAIRS = [
    (put_a_folder_in_place, "resumed after step 8"),
    (
        spoil_summary,
        "is damaged: no JSON object; repaired from checkpoint.pt of step 12",
    ),
    (spoil_config, "; written again"),
    (spoil_records, "trained from the start"),
    (spoil_the_end, "repaired from checkpoint.previous.pt of step 8"),
    (spoil_newest, "not a checkpoint; repaired from checkpoint.previous.pt of step 8"),
    (leave_a_hole, "not the records that the checkpoint counts; repaired from checkpoint.previous"),
    (change_a_number, "not the records that the checkpoint counts; trained from the start"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("spoil", "said"), REPAIRS, ids=lambda x: getattr(x, "__name__", ""))
def test_train_mends_a_run_and_it_is_as_before(resx, run, tmp_path, spoil, said):
    before, learned = records(run), weights(run)
    spoil(run)
    answer = resx("train", *TINY)
    assert (answer.code, answer.err) == (0, "")
    assert said in answer.out
    assert records(run) == before
    assert weights(run).keys() == learned.keys()
    assert all(torch.equal(value, learned[name]) for name, value in weights(run).items())
    assert len(list(tmp_path.glob("outputs/aside/*/metrics.jsonl"))) == (
        spoil in (spoil_records, change_a_number)
    )
    assert resx("train", *TINY).out.startswith("finished: ")


def test_a_study_names_what_is_damaged(resx, run):
    spoil_records(run)
    answer = resx("study", "degradation", *TINY, "seed=0", "status=true")
    assert answer.code == 0, answer.err
    assert "1 damaged" in answer.out
    (line,) = (line for line in answer.out.splitlines() if line.startswith("damaged: "))
    assert str(run.name) in line
    assert "step is '2'; resx train, or its study, with the same settings" in line


def test_a_damaged_checkpoint_is_not_called_missing(resx, run):
    (run / CHECKPOINT).write_text("hello")
    answer = resx("evaluate", f"run={run}", "splits=[test]")
    assert answer.code == 0
    assert "checkpoint.previous.pt of step 8 takes its place" in answer.out
    (run / PREVIOUS_CHECKPOINT).write_bytes(b"")
    answer = resx("evaluate", f"run={run}")
    assert_refused(answer, f"{CHECKPOINT}: is truncated, or not a checkpoint; resx train with")
    assert "force=true trains it again" in answer.err


def changed(run, change):
    """The checkpoint, whole as a file, with something else in it."""
    saved = checkpoint.load(run / CHECKPOINT)
    change(saved)
    torch.save(saved, run / "changed.pt")
    return f"weights={run / 'changed.pt'}"


def three_channels(saved):
    saved["mean"], saved["std"] = torch.zeros(3), torch.ones(3)


def ten_million_layers(saved):
    saved["config"]["depth"] = 10_000_000


def a_billion_channels(saved):
    saved["config"]["model"]["width"] = 10**9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (three_channels, "weights of another architecture: stem.0.weight is"),
        (ten_million_layers, "is damaged: depth 10000000, but only"),
        (a_billion_channels, "no such network: Storage size calculation overflowed"),
    ],
)
def test_what_a_checkpoint_says_is_not_built_before_it_is_believed(resx, run, change, message):
    assert_refused(resx("evaluate", changed(run, change)), message)


def test_weights_that_are_no_numbers_are_evaluated_and_said_so(resx, run):
    def spoil(saved):
        saved["state"]["model"]["head.2.weight"].fill_(float("nan"))

    answer = resx("evaluate", changed(run, spoil), "splits=[test]")
    assert answer.code == 0, answer.err
    assert "80 of its weights and statistics are not finite" in answer.out


def test_a_text_is_no_file_of_weights(resx, tmp_path):
    (tmp_path / "w.pt").write_text("hello\n")
    assert_refused(resx("evaluate", "weights=w.pt"), "w.pt: is truncated, or not a checkpoint")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to mount a small disk")
@pytest.mark.slow
def test_a_disk_that_cannot_be_written_is_enough_to_look(resx, run, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(disk)]).returncode:
        pytest.skip("cannot mount here")
    try:
        shutil.copytree(tmp_path / "outputs", disk / "outputs")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        own = ("seed=0", f"outputs={disk / 'outputs'}")
        answer = resx("study", "degradation", *TINY, *own, "status=true")
        assert answer.code == 0, answer.err
        assert "1 finished" in answer.out
        assert resx("evaluate", f"run={disk / run.relative_to(tmp_path)}").code == 0
        assert_refused(resx("train", *TINY, "seed=1", f"outputs={disk / 'outputs'}"), "Read-only")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.slow
def test_a_small_campaign_of_faults_leaves_no_traceback():
    done = subprocess.run([sys.executable, SCRIPT, "--quick"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
