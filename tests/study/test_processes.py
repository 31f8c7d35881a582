"""Whatever is done to the processes of a study, no run is lost and none outlives it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from resx.config.notes import begun, read_note

RESX = [sys.executable, "-m", "resx"]
# Long enough not to end by themselves, and hardly ever saved.
LONG = ("depth=8,14", "seed=0", "model.width=2", "recipe.steps=20000", "recipe.record_every=10")
LONG += ("recipe.eval_every=10000", "recipe.save_every=10000")
SHORT = ("depth=8,14", "seed=0", "model.width=2", "recipe.steps=300", "recipe.record_every=10")
SHORT += ("recipe.eval_every=100",)
PATIENCE = 600.0  # seconds; a busy machine takes its time to import torch

pytestmark = pytest.mark.slow


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)
    return found


def start(folder, *arguments):
    return subprocess.Popen(
        [*RESX, "study", "degradation", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def processes_in(folder):
    """All that work in a folder."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.readlink() == folder:
                found.append(int(link.parent.name))
        except OSError:  # gone meanwhile
            continue
    return found


def summaries(folder):
    paths = folder.glob("outputs/runs/*/*/*/summary.json")
    return [json.loads(path.read_text()) for path in paths]


def records(folder):
    return [p for p in folder.glob("outputs/runs/*/*/*/metrics.jsonl") if p.stat().st_size]


def at_work(folder):
    """Process ids of the jobs at work, by their number."""
    found = {}
    for sweep in folder.glob("outputs/studies/*/*/"):
        notes = {number: read_note(sweep, number) for number in begun(sweep)}
        found |= {n: note.process for n, note in notes.items() if note and note.code is None}
    return found


def first_job(folder):
    """The living process that has the first job of a sweep, None while there is none."""
    for sweep in folder.glob("outputs/studies/*/*/"):
        note = read_note(sweep, 0)
        if note and note.code is None and note.process in processes_in(folder):
            return note.process
    return None


@pytest.mark.parametrize("launcher", [(), ("hydra/launcher=joblib",)], ids=["own", "joblib"])
def test_a_killed_study_leaves_nobody_behind_and_loses_no_step(tmp_path, launcher):
    study = start(tmp_path, *LONG, *launcher)
    wait_until(lambda: len(records(tmp_path)) == 2)
    os.kill(study.pid, signal.SIGKILL)
    study.communicate()
    wait_until(lambda: not processes_in(tmp_path))
    found = summaries(tmp_path)
    assert [summary["status"] for summary in found] == ["interrupted"] * 2
    assert len(list(tmp_path.glob("outputs/runs/*/*/*/checkpoint.pt"))) == 2


@pytest.mark.parametrize("launcher", [(), ("hydra/launcher=joblib",)], ids=["own", "joblib"])
def test_ctrl_c_is_answered_and_saves_every_run_at_work(tmp_path, launcher):
    study = start(tmp_path, *LONG, *launcher)
    wait_until(lambda: len(records(tmp_path)) == 2)
    study.send_signal(signal.SIGINT)
    _, errors = study.communicate()
    assert study.returncode == 130
    assert errors.splitlines()[0].startswith("stopping: ")
    assert not processes_in(tmp_path)
    assert [summary["status"] for summary in summaries(tmp_path)] == ["interrupted"] * 2
    assert len(list(tmp_path.glob("outputs/runs/*/*/*/checkpoint.pt"))) == 2


def test_as_many_runs_as_were_asked_for_are_at_work_at_once(tmp_path):
    """Three of four, whatever the number of cores: as when they share a GPU."""
    study = start(tmp_path, *LONG, "jobs=3")
    wait_until(lambda: len(records(tmp_path)) == 3)
    assert sorted(at_work(tmp_path)) == [0, 1, 2]
    study.send_signal(signal.SIGINT)
    study.communicate()
    assert [summary["status"] for summary in summaries(tmp_path)] == ["interrupted"] * 3


def test_a_killed_worker_takes_no_other_with_it(tmp_path):
    study = start(tmp_path, *SHORT)
    wait_until(lambda: len(records(tmp_path)) == 2)
    jobs = at_work(tmp_path)
    killed, other = sorted(jobs)
    os.kill(jobs[killed], signal.SIGKILL)
    _, errors = study.communicate()
    assert study.returncode == 0, errors
    assert {summary["status"] for summary in summaries(tmp_path)} == {"finished"}
    sweeps = sorted(tmp_path.glob("outputs/studies/*/*/"))
    assert len(sweeps) == 2  # the second has the killed run alone
    assert read_note(sweeps[0], other).process == jobs[other]
    assert len(json.loads((sweeps[1] / "jobs.json").read_text())) == 1


def test_only_the_run_whose_process_dies_uses_up_its_tries(tmp_path):
    study = start(tmp_path, *SHORT)
    for _ in range(2):
        process = wait_until(lambda: first_job(tmp_path))
        os.kill(process, signal.SIGKILL)
        wait_until(lambda process=process: process not in processes_in(tmp_path))
    _, errors = study.communicate()
    assert study.returncode == 1
    failed = [line for line in errors.splitlines() if line.startswith("failed: ")]
    assert len(failed) == 1
    assert "its process died" in failed[0]
    finished = [summary for summary in summaries(tmp_path) if summary["status"] == "finished"]
    assert len(finished) == 3


def test_a_study_that_nobody_watches_says_one_line_a_run(tmp_path):
    out, errors = start(tmp_path, *SHORT).communicate()
    lines = out.splitlines()
    ended = [line for line in lines if " of 4" in line]
    assert [line[:6] for line in ended] == ["1 of 4", "2 of 4", "3 of 4", "4 of 4"]
    assert lines.index(ended[-1]) == 1 + len(ended)  # after a line on the grid and the forecast
    assert errors == ""
    assert len(list(tmp_path.glob("outputs/runs/*/*/*/train.log"))) == 4


def test_a_waiting_study_has_no_torch(tmp_path):
    study = start(tmp_path, *LONG)
    wait_until(lambda: len(records(tmp_path)) == 2)
    status = Path(f"/proc/{study.pid}/status").read_text().splitlines()
    resident = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))
    study.terminate()
    study.communicate()
    assert resident < 250


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("delay", [0.4, 0.8, 1.6, 3.0])
def test_a_signal_while_all_is_being_prepared_is_no_error(tmp_path, number, delay):
    """While Hydra composes, while torch is imported, while the network is built."""
    train = subprocess.Popen(
        [*RESX, "train", *LONG[2:]], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    time.sleep(delay)
    train.send_signal(number)
    errors = train.communicate()[1].decode()
    assert train.returncode == 128 + number, errors
    assert "Traceback" not in errors
    # If the signal meets torch's import of triton, torch takes that for missing, and says so.
    ours = [line for line in errors.splitlines() if "torch/utils/flop_counter.py" not in line]
    assert len(ours) == 1, errors


def test_a_reader_that_leaves_ends_a_run_quietly_and_saved(tmp_path):
    train = subprocess.Popen(
        [*RESX, "train", *LONG[2:]], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    for word in (b"parameters", b"outputs/", b"step 10/"):
        assert word in train.stdout.readline()
    train.stdout.close()
    with train.stderr as errors:
        assert errors.read() == b""
    assert train.wait() == 141
    assert [summary["status"] for summary in summaries(tmp_path)] == ["interrupted"]
    assert list(tmp_path.glob("outputs/runs/*/*/*/checkpoint.pt"))


def test_a_signal_to_all_processes_of_a_streamed_run_finds_it_saved(tmp_path, image_tree):
    """As Slurm sends it: to the workers that decode, too."""
    root = image_tree(size=(80, 70))
    settings = ["data=imagenet", f"data.root={root}", "data.image_size=64", "data.workers=2"]
    settings += ["depth=18", "recipe.steps=20000", "recipe.batch_size=4", "recipe.record_every=1"]
    settings += ["recipe.eval_every=20000", "recipe.save_every=20000", "recipe.warmup_steps=1"]
    train = subprocess.Popen([*RESX, "train", *settings], cwd=tmp_path, process_group=0)
    wait_until(lambda: records(tmp_path))
    os.killpg(train.pid, signal.SIGTERM)
    assert train.wait() == 143
    assert [summary["status"] for summary in summaries(tmp_path)] == ["interrupted"]
    assert list(tmp_path.glob("outputs/runs/*/*/*/checkpoint.pt"))
    wait_until(lambda: not processes_in(tmp_path))
