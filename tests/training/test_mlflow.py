"""`tracker=mlflow`: a run is mirrored in MLflow, each step once, whatever happens to either."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from resx.store.files import CHECKPOINT, MLFLOW
from resx.store.run import Run
from resx.store.store import Store
from resx.store.summary import Status
from resx.training import boards
from tests.training.test_tracking import scalars

pytest.importorskip("mlflow")
pytest.importorskip("alembic")

RECORDED = [2, 4, 6, 8, 10, 12]  # steps of the tiny run


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A database without runs: making one takes seconds."""
    for name, value in boards.MLFLOW_MANNERS.items():
        os.environ.setdefault(name, value)
    from resx.training.mlflow_run import make_database

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    make_database(path)
    return path


@pytest.fixture
def client(empty, tmp_path):
    """Of the database where a store keeps it unless it is told of another place."""
    from mlflow import MlflowClient

    (tmp_path / "outputs").mkdir()
    shutil.copyfile(empty, tmp_path / "outputs" / "mlflow.db")
    return MlflowClient(Store(tmp_path / "outputs").mlflow_uri)


def found(client, experiment):
    place = client.get_experiment_by_name(experiment)
    return client.search_runs([place.experiment_id])


def steps(client, run, name):
    return [point.step for point in client.get_metric_history(run.info.run_id, name)]


@pytest.mark.slow
def test_a_run_has_tensorboards_names_and_its_settings(resx, tiny, only_run, client):
    assert resx("train", *tiny, "tracker=mlflow").code == 0
    (run,) = found(client, "digits")
    assert run.info.status == "FINISHED"
    assert run.data.params["recipe.steps"] == "12"
    assert (run.data.tags["hash"], run.data.tags["status"]) == (Run(only_run()).hash, "finished")
    assert {"machine", "git_commit", "capability", "torch"} <= set(run.data.tags)
    assert not list(only_run().glob("events.*"))
    shutil.rmtree("outputs/runs")
    assert resx("train", *tiny).code == 0
    board, curve = scalars(only_run(), "error/train")
    assert set(run.data.metrics) == set(board.Tags()["scalars"])
    history = client.get_metric_history(run.info.run_id, "error/train")
    assert [(p.step, pytest.approx(p.value, rel=1e-6)) for p in history] == curve


@pytest.mark.slow
def test_a_finished_run_is_found_whatever_the_tracker(resx, tiny, client):
    resx("train", *tiny, "tracker=mlflow")
    assert resx("train", *tiny).out.startswith("finished: ")
    assert resx("train", *tiny, "tracker=mlflow").out.startswith("finished: ")
    assert len(found(client, "digits")) == 1


def test_a_resumed_run_goes_on_in_mlflow_and_has_every_step_once(resx, tiny, only_run, client):
    resx("train", *tiny, "tracker=mlflow")
    run = only_run()
    (run / CHECKPOINT).write_bytes(b"gone")  # so the steps from 8 on are trained again
    (run / "summary.json").unlink()
    resx("train", *tiny, "tracker=mlflow")
    (mirror,) = found(client, "digits")
    assert steps(client, mirror, "error/train") == RECORDED
    assert steps(client, mirror, "loss/test") == [4, 8, 12]


@pytest.mark.parametrize("first", ["tensorboard", "mlflow"])
def test_another_tracker_gets_the_steps_of_before(resx, tiny, only_run, client, first):
    (second,) = {"tensorboard", "mlflow"} - {first}
    resx("train", *tiny, f"tracker={first}")
    (only_run() / CHECKPOINT).write_bytes(b"gone")
    (only_run() / "summary.json").unlink()
    resx("train", *tiny, f"tracker={second}")
    if second == "mlflow":
        (mirror,) = found(client, "digits")
        assert steps(client, mirror, "error/train") == RECORDED
    else:
        assert [step for step, _ in scalars(only_run(), "error/train")[1]] == RECORDED


@pytest.mark.slow
def test_force_begins_another_one(resx, tiny, client):
    for force in ("false", "true"):
        resx("train", *tiny, "tracker=mlflow", f"force={force}")
    assert [steps(client, run, "error/train") for run in found(client, "digits")] == 2 * [RECORDED]


@pytest.mark.slow
def test_the_runs_of_a_study_are_one_experiment(resx, tiny, client):
    answer = resx(
        "train", "-m", *tiny, "study=degradation", "residual=true,false", "tracker=mlflow"
    )
    assert answer.code == 0
    runs = found(client, "degradation")
    assert {run.data.params["residual"] for run in runs} == {"True", "False"}
    assert {run.data.tags["study"] for run in runs} == {"degradation"}


@pytest.mark.parametrize(
    ("status", "end"),
    [
        (Status.DIVERGED, "FINISHED"),  # a result
        (Status.INTERRUPTED, "KILLED"),
        (Status.FAILED, "FAILED"),
    ],
)
def test_how_a_run_ended(tmp_path, client, status, end):
    from resx.training.mlflow_run import Described, MlflowRun

    described = Described(Store(tmp_path / "outputs").mlflow_uri, "ends", "a run", {}, {})
    MlflowRun(Run(tmp_path), described, time.time(), anew=False).close(status)
    (run,) = found(client, "ends")
    assert (run.info.status, run.data.tags["status"]) == (end, status)


def test_without_a_server_training_goes_on_and_the_next_session_sends_all(
    resx, tiny, only_run, client, monkeypatch
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # where nobody answers
    answer = resx("train", *tiny, "tracker=mlflow")
    assert answer.code == 0
    assert answer.out.count("; training goes on, metrics.jsonl has the records") == 1
    assert not (only_run() / MLFLOW).exists()
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    (only_run() / CHECKPOINT).unlink()
    (only_run() / "summary.json").unlink()
    resx("train", *tiny, "tracker=mlflow")
    (mirror,) = found(client, "digits")
    assert steps(client, mirror, "error/train") == RECORDED


def test_without_the_package_one_line_says_how_to_install_it(resx, monkeypatch):
    monkeypatch.setattr("resx.config.plugins.find_spec", lambda name: None)
    for command in (("train",), ("study", "degradation")):
        answer = resx(*command, "tracker=mlflow")
        assert answer.code == 2
        assert answer.err.endswith(
            ": tracker=mlflow: is not installed; pip install mlflow-skinny sqlalchemy alembic\n"
        )


@pytest.mark.slow
def test_two_processes_make_one_database(tmp_path):
    command = [sys.executable, "-m", "resx", "train", "depth=8", "recipe.steps=50"]
    begun = [
        subprocess.Popen([*command, f"seed={seed}", "tracker=mlflow"], cwd=tmp_path)
        for seed in (0, 1)
    ]
    assert [process.wait() for process in begun] == [0, 0]
    logs = [path.read_text() for path in tmp_path.glob("outputs/runs/*/*/*/train.log")]
    assert len(logs) == 2
    assert not any("MLflow" in log for log in logs)


@pytest.mark.slow
def test_a_killed_run_has_every_step_once(tmp_path, client):
    command = [sys.executable, "-m", "resx", "train", "depth=8", "recipe.steps=1000"]
    command += ["recipe.record_every=5", "recipe.eval_every=100", "recipe.save_every=100"]
    command += ["tracker=mlflow"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while not (notes := list(tmp_path.glob(f"outputs/runs/*/*/*/{MLFLOW}"))):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        run_id = json.loads(notes[0].read_text())["run_id"]
        while len(client.get_metric_history(run_id, "error/train")) < 10:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert client.get_run(run_id).info.status == "RUNNING"
    subprocess.run(command, cwd=tmp_path, stdout=subprocess.DEVNULL, check=True, timeout=120)
    (run,) = found(client, "digits")
    assert (run.info.run_id, run.info.status) == (run_id, "FINISHED")
    assert steps(client, run, "error/train") == list(range(5, 1001, 5))
