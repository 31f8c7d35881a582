"""A real Slurm of two nodes: whatever it does to the jobs of a study, the table is the same."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.study.test_processes import records, summaries, wait_until

SCRIPT = Path(__file__).parents[2] / "scripts" / "slurm_local.sh"
STUDY = [sys.executable, "-m", "resx", "study", "degradation"]
ON_SLURM = ("hydra/launcher=submitit_slurm", "hydra.launcher.timeout_min=60")
SMALL = ("depth=8,14", "seed=0,1", "model.width=2", "recipe.steps=200", "recipe.record_every=10")
SMALL += ("recipe.eval_every=100", "recipe.save_every=50")
# Two runs that do not end by themselves before something is done to them.
LONG = ("depth=8", "seed=0", "model.width=2", "recipe.steps=1500", "recipe.record_every=10")
LONG += ("recipe.eval_every=500", "recipe.save_every=100000")

pytestmark = pytest.mark.slurm


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """`slurm("kill", "n1")` calls the script of that name."""
    if not (shutil.which("slurmctld") and shutil.which("munged") and os.geteuid() == 0):
        pytest.skip("needs slurmctld, munged (Debian: slurm-wlm, munge) and root")
    if find_spec("hydra_plugins.hydra_submitit_launcher") is None:
        pytest.skip("hydra-submitit-launcher is not installed")
    own = {"RESX_SLURM": str(tmp_path_factory.mktemp("slurm")), "RESX_SLURM_PORT": "26817"}

    def call(*words):
        done = subprocess.run(
            [SCRIPT, *words], env=os.environ | own, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", call("start"))
        patch.setenv("OMP_NUM_THREADS", "1")
        try:
            yield call
        finally:
            call("stop")


def start(folder, *settings):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*STUDY, *settings, *ON_SLURM], cwd=folder, **pipes)


def until(study, condition):
    """Wait, as long as the study is at work."""

    def met():
        found = condition()
        assert found or study.poll() is None, study.communicate()
        return found

    return wait_until(met)


def answer_of(study):
    out, errors = study.communicate(timeout=900)
    assert study.returncode == 0, out + errors
    return out


def jobs(*options):
    command = ["squeue", "--me", "--noheader", "--array", "--format=%i", *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def curves(outputs):
    """The records of every run, but for the seconds that they took."""
    found = {}
    for path in outputs.glob("runs/*/*/*/metrics.jsonl"):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        records = [{k: v for k, v in line.items() if k != "seconds"} for line in lines]
        found[str(path.relative_to(outputs))] = records
    return found


def tables(out):
    """From the first table of results to the end of the last."""
    return out[out.index("Training error, clean") : out.index("\npage: ")]


def test_a_node_is_lost_and_a_job_is_requeued_and_the_table_is_the_same(slurm, tmp_path):
    study = start(tmp_path, *SMALL)
    (lost,) = until(study, lambda: jobs("--nodelist=n1", "--states=running"))
    until(study, lambda: len(records(tmp_path)) >= 2)
    slurm("kill", "n1")
    (other,) = until(study, lambda: jobs("--nodelist=n2", "--states=running"))
    subprocess.run(["scontrol", "requeue", other], check=True)
    until(study, lambda: lost not in jobs("--states=running"))
    slurm("node", "n1")
    out = answer_of(study)
    assert re.search(
        r"predicted for 8 runs: .*, 2 at once, .*; each asks for cpus_per_task=1 ", out
    )
    assert len(list(tmp_path.glob("outputs/studies/*/*/jobs.json"))) == 1  # one array did it all
    logs = [path.read_text() for path in tmp_path.glob("outputs/runs/*/*/*/train.log")]
    assert any("resumed after step" in log for log in logs)
    here = [*STUDY, *SMALL, "hydra/launcher=basic", "outputs=here"]
    done = subprocess.run(here, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert tables(out) == tables(done.stdout)
    assert curves(tmp_path / "outputs") == curves(tmp_path / "here")
    assert len(curves(tmp_path / "here")) == 8


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_study_that_is_closed_finds_its_jobs_again(slurm, tmp_path, number):
    study = start(tmp_path, *SMALL, "depth=8")
    until(study, lambda: records(tmp_path))
    study.send_signal(number)
    _, errors = study.communicate()
    assert study.returncode == (130 if number == signal.SIGINT else -number)
    assert ("stay in Slurm's queue; to end them: scancel" in errors) == (number == signal.SIGINT)
    left = 4 - sum(s["status"] == "finished" for s in summaries(tmp_path))
    assert len(jobs()) == left
    status = [*STUDY, *SMALL, "depth=8", "status=true"]
    told = subprocess.run(status, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert f"in Slurm's queue: {left}\n" in told
    answer_of(start(tmp_path, *SMALL, "depth=8"))
    assert [summary["status"] for summary in summaries(tmp_path)] == ["finished"] * 4
    assert len(list(tmp_path.glob("outputs/studies/*/*/jobs.json"))) == 1
    for log in tmp_path.glob("outputs/runs/*/*/*/train.log"):
        assert log.read_text().count("parameters (") == 1  # it began once


def test_jobs_whose_time_is_over_or_that_are_preempted_save_and_go_on(slurm, tmp_path):
    """The signal that submitit asks Slurm for, and a job of a partition that comes first."""
    study = start(tmp_path, *LONG)
    until(study, lambda: len(records(tmp_path)) == 2)
    (late,) = jobs("--nodelist=n1", "--states=running")
    subprocess.run(["scancel", "--signal=USR2", late], check=True)
    until(study, lambda: late not in jobs("--states=running"))
    urgent = ["sbatch", "--partition=urgent", "--nodelist=n2", "--time=1", "--wrap=sleep 1"]
    subprocess.run(urgent, cwd=tmp_path, check=True)
    answer_of(study)
    logs = [path.read_text() for path in tmp_path.glob("outputs/runs/*/*/*/train.log")]
    assert [log.count("resumed after step") for log in logs] == [1, 1]
    assert [summary["status"] for summary in summaries(tmp_path)] == ["finished"] * 2
    assert len(list(tmp_path.glob("outputs/studies/*/*/jobs.json"))) == 1
    here = [*STUDY, *LONG, "hydra/launcher=basic", "outputs=here"]
    subprocess.run(here, cwd=tmp_path, capture_output=True, check=True)
    assert curves(tmp_path / "outputs") == curves(tmp_path / "here")


def test_a_cancelled_job_is_submitted_once_more(slurm, tmp_path):
    study = start(tmp_path, *SMALL, "depth=8")
    until(study, lambda: len(records(tmp_path)) == 2)
    (cancelled,) = jobs("--nodelist=n1", "--states=running")
    subprocess.run(["scancel", cancelled], check=True)
    answer_of(study)
    assert [summary["status"] for summary in summaries(tmp_path)] == ["finished"] * 4
    assert len(list(tmp_path.glob("outputs/studies/*/*/jobs.json"))) == 2
    logs = [path.read_text() for path in tmp_path.glob("outputs/runs/*/*/*/train.log")]
    assert sum("resumed after step" in log for log in logs) == 1


def test_what_slurm_does_not_take_is_said_in_its_words(slurm, tmp_path):
    study = start(tmp_path, *LONG, "hydra.launcher.partition=nowhere")
    _, errors = study.communicate()
    assert study.returncode == 2
    assert errors.count("\n") == 1
    assert "Invalid partition name specified" in errors
