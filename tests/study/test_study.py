"""A study runs what is missing, once, and reports."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml

from resx.commands.study import show_status
from resx.config.location import conf_dir
from resx.config.requests import StudyRequest
from resx.config.run_hash import run_hash
from resx.models.building import build_network
from resx.models.parts.complexity import parameters
from resx.report.selection import row_key
from resx.store.store import Store
from tests.conftest import yamls

SMALL = ("depth=8,14", "seed=0", "model.width=2", "recipe.steps=12", "recipe.record_every=4")
SMALL += ("recipe.eval_every=4", "hydra/launcher=basic")


@pytest.fixture
def grid_of(resx, monkeypatch):
    """The jobs of a study, as `resx study` sees them."""
    from resx.commands import study

    def expanded(*arguments):
        grids = []
        monkeypatch.setattr(study, "show_status", grids.append)
        answer = resx("study", *arguments, "status=true")
        assert answer.code == 0, answer.err
        return grids[0]

    return expanded


def test_how_the_cores_are_used_is_no_part_of_what_a_study_is(grid_of):
    assert grid_of("degradation", "jobs=3", "threads=2").name == "degradation"


def table(out):
    lines = out.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("Training error, clean"))
    return lines[start : start + 4]


def metrics(tmp_path):
    return {p: p.stat().st_mtime_ns for p in tmp_path.glob("outputs/runs/*/*/*/metrics.jsonl")}


@pytest.mark.slow
def test_a_study_trains_what_is_missing_and_only_that(resx, tmp_path):
    single = [s for s in SMALL if not s.startswith(("depth", "hydra"))]
    assert resx("train", "depth=8", "residual=false", *single).code == 0
    before = metrics(tmp_path)
    answer = resx("study", "degradation", *SMALL)
    assert answer.code == 0, answer.err
    assert "4 runs, 3 missing, 1 finished" in answer.out
    assert "predicted for 3 runs" in answer.out
    after = metrics(tmp_path)
    assert len(after) == 4
    assert before.items() <= after.items()  # the single run counted
    again = resx("study", "degradation", *SMALL)
    assert "4 runs, 4 finished" in again.out
    assert metrics(tmp_path) == after
    assert table(again.out) == table(answer.out)
    assert list(tmp_path.glob("outputs/reports/degradation+*/index.html"))


@pytest.mark.slow
def test_force_trains_again_what_is_finished(resx, tmp_path):
    assert resx("study", "degradation", *SMALL).code == 0
    before = metrics(tmp_path)
    answer = resx("study", "degradation", *SMALL, "force=true")
    assert answer.code == 0, answer.err
    after = metrics(tmp_path)
    assert after.keys() == before.keys() and all(after[path] > before[path] for path in before)


def test_a_job_is_the_run_that_its_overrides_name(grid_of, configure):
    for job in grid_of("shortcuts", "seed=0,3").jobs:
        assert run_hash(configure("train", *job.overrides)) == job.run.hash


@pytest.mark.slow
def test_a_report_halfway_says_what_is_missing(resx, tmp_path):
    single = [s for s in SMALL if not s.startswith(("depth", "hydra"))]
    resx("train", "depth=8", "residual=true", *single)
    answer = resx("report", "study=degradation", *SMALL)
    assert answer.code == 0, answer.err
    rows = [line.split() for line in table(answer.out)[2:]]
    assert rows[0][:2] == ["8", "missing"]
    assert rows[1][:3] == ["14", "missing", "missing"]
    assert "1 finished, 3 missing" in answer.out


@pytest.mark.slow
def test_preview_and_status_train_nothing(resx, tmp_path):
    preview = resx("study", "degradation", *SMALL, "preview=true")
    assert "4 runs, 4 missing" in preview.out
    assert "predicted for 4 runs" in preview.out
    status = resx("study", "degradation", *SMALL, "status=true")
    assert status.out.count("1 missing") == 4
    assert not metrics(tmp_path)


@pytest.mark.slow
def test_a_grid_with_an_impossible_network_is_refused_before_anything_runs(resx, tmp_path):
    answer = resx("study", "degradation", *SMALL, "depth=8,33")
    assert answer.code == 2
    assert answer.err.startswith("resx study: depth=33: no such network")
    assert not metrics(tmp_path)


@pytest.mark.slow
def test_a_failing_run_is_tried_twice_named_and_hides_nothing(resx, tmp_path):
    (tmp_path / "outputs" / "runs" / "digits").mkdir(parents=True)
    (tmp_path / "outputs" / "runs" / "digits" / "resnet-14-plain").write_text("in the way")
    answer = resx("study", "degradation", *SMALL)
    assert answer.code == 1
    assert "depth=14 residual=false: " in answer.err.splitlines()[-1]
    assert "resnet-14-plain" in answer.err.splitlines()[-1]
    jobs = sorted(tmp_path.glob("outputs/studies/*/*/jobs.json"))
    assert [len(json.loads(path.read_text())) for path in jobs] == [4, 1]
    assert len(metrics(tmp_path)) == 3
    assert "14 missing" in " ".join(answer.out.split())


@pytest.mark.slow
def test_what_is_typed_makes_a_study_of_its_own_short_name(resx, grid_of):
    assert grid_of("degradation").name == "degradation"
    assert grid_of("degradation", "device=cpu", "hydra/launcher=basic").name == "degradation"
    other_rate = grid_of("degradation", "recipe.lr=0.01").name
    assert re.fullmatch(r"degradation\+lr-[0-9a-f]{6}", other_rate)
    assert grid_of("degradation", "recipe.lr=0.02").name != other_rate
    wider = grid_of("degradation", "seed=range(5)", "depth=20")
    assert re.fullmatch(r"degradation\+depth\+seed-[0-9a-f]{6}", wider.name)
    assert wider.typed == ["depth=20", "seed=range(5)"]
    assert len(wider.jobs) == 10
    assert wider.rows == ["depth"]


LARGE = [name for name in yamls("study") if name.startswith("cifar10_")]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in LARGE else n for n in yamls("study")]
)
def test_every_study_yaml_has_jobs_that_build(name, grid_of):
    grid = grid_of(name, "data.root=/images", "seed=0")
    show_status(grid)
    assert all(len(row_key(job.config, grid.rows)) == len(grid.rows) for job in grid.jobs)
    assert len({job.run.directory for job in grid.jobs}) == len(grid.jobs) >= 2
    for config in {(j.config.depth, j.config.residual): j.config for j in grid.jobs}.values():
        classes, channels = config.data.classes or 10, config.data.channels
        if config.depth < 1000:
            meta = torch.device("meta")
            build_network(config, classes, channels, config.data.image_size, meta)


def network_of(job):
    data, meta = job.config.data, torch.device("meta")
    return build_network(job.config, data.classes, data.channels, data.image_size, meta)


@pytest.mark.slow
def test_the_twins_of_families_differ_by_no_more_parameters_than_projections_have(grid_of):
    counts = {}
    for job in grid_of("families", "seed=0").jobs:
        counts[job.config.model["name"], job.config.residual] = parameters(network_of(job))
    changes = {name: counts[name, False] / counts[name, True] - 1 for name, _ in counts}
    equal = {name for name, change in changes.items() if change == 0}
    assert equal == {"resnet", "preact", "vit"}
    assert -0.12 < changes.pop("resnext") < -0.11
    assert max(map(abs, changes.values())) < 0.01


def test_cardinality_has_equal_parameters_and_groups_of_more_than_one_channel(grid_of):
    networks = [network_of(job) for job in grid_of("cardinality", "seed=0", "residual=true").jobs]
    counts = [parameters(network) for network in networks]
    assert max(counts) / min(counts) < 1.03
    for network in networks:
        grouped = next(
            m for m in network.stage1.modules() if getattr(m, "kernel_size", 0) == (3, 3)
        )
        assert grouped.in_channels // grouped.groups >= 2


def test_a_study_of_families_can_be_narrowed_to_one(grid_of, resx):
    jobs = grid_of("families", "model=wide", "seed=0").jobs
    assert {(j.config.model["name"], j.config.model["widening"]) for j in jobs} == {("wide", 2)}
    answer = resx("study", "wide_vs_deep", "model.widenin=3")
    assert "did you mean 'model.widening'?" in answer.err
    answer = resx("study", "cifar10_wide_vs_deep", "data.root=/images", "model=vit", "status=true")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "model=vit: the study has wide, preact" in answer.err


@pytest.mark.parametrize("name", yamls("study"))
def test_every_study_yaml_asks_a_question(name):
    study = yaml.safe_load((conf_dir() / "study" / f"{name}.yaml").read_text())["study"]
    assert study["name"] == name
    assert study["question"].endswith("?")


def test_a_run_of_another_process_is_running_not_missing(resx, configure, tmp_path):
    settings = [s for s in SMALL if not s.startswith(("depth", "hydra"))]
    config = configure("train", "depth=8", "residual=true", *settings)
    with Store(tmp_path / "outputs").run(config).locked():
        status = resx("study", "degradation", *SMALL, "status=true").out
    assert "1 running" in status


def test_the_request_is_a_train_request_and_more():
    names = set(StudyRequest.__dataclass_fields__)
    assert {"preview", "status", "sweeps", "recipe", "study"} <= names


@pytest.mark.slow
@pytest.mark.parametrize("name", ["shortcuts", "batch_norm"])
def test_studies_of_more_than_depth_end_in_a_report(resx, tmp_path, name):
    """Shortened to a few steps of small nets; the grids' other settings stay."""
    small = [s for s in SMALL if not s.startswith(("seed", "recipe.steps"))]
    answer = resx("study", name, *small, "recipe.steps=4", "seed=0,1")
    assert answer.code == 0, answer.err
    assert "net degrade?" in answer.out
    assert list(tmp_path.glob(f"outputs/reports/{name}+*/index.html"))


@pytest.mark.slow
def test_two_processes_share_a_study_and_train_no_run_twice(tmp_path):
    command = [sys.executable, "-m", "resx", "study", "degradation", *SMALL, "seed=0,1"]
    both = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    outputs = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert table(outputs[0]) == table(outputs[1])
    for path in tmp_path.glob("outputs/runs/*/*/*/metrics.jsonl"):
        steps = [json.loads(x)["step"] for x in path.read_text().splitlines() if '"train"' in x]
        assert steps == [4, 8, 12]
        log = (path.parent / "train.log").read_text()
        assert log.count("step 12/12  train ") == 1


def wait_for_records(folder, count):
    """Until the runs below have so many records in all."""
    while sum(len(p.read_text().splitlines()) for p in folder.rglob("metrics.jsonl")) < count:
        time.sleep(0.05)


def _points_to(link, directory):
    try:
        return link.readlink() == directory
    except OSError:  # gone meanwhile
        return False


@pytest.mark.slow
def test_a_stopped_study_stops_its_sweep_and_goes_on_later(tmp_path):
    """SIGTERM to the study alone, as `kill` sends it."""
    command = [sys.executable, "-m", "resx", "study", "degradation", "depth=8,14", "seed=0,1"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    wait_for_records(tmp_path, 1)
    process.terminate()
    _, errors = process.communicate()
    assert process.returncode == 143
    assert "the same command goes on from here" in errors
    assert not [p for p in Path("/proc").glob("[0-9]*/cwd") if _points_to(p, tmp_path)]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0


@pytest.mark.slow
def test_a_killed_study_ends_with_the_same_table(tmp_path):
    command = [sys.executable, "-m", "resx", "study", "degradation", "depth=8,14", "seed=0,1"]
    command += ["recipe.steps=60", "recipe.eval_every=20", "recipe.save_every=10"]
    whole = subprocess.run(
        [*command, "outputs=whole"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    for kill in range(5):  # each later in the study than the one before
        process = subprocess.Popen([*command, "outputs=killed"], cwd=tmp_path)
        wait_for_records(tmp_path / "killed", 10 * (1 + kill))
        assert process.poll() is None
        for link in Path("/proc").glob("[0-9]*/cwd"):  # the study, its sweep, the workers
            if _points_to(link, tmp_path):
                os.kill(int(link.parent.name), signal.SIGKILL)
        process.wait()
    done = subprocess.run(
        [*command, "outputs=killed"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert table(done.stdout) == table(whole.stdout)


@pytest.mark.parametrize(
    ("study", "rows"),
    [
        ("families", ["depth", "model.name"]),
        ("cardinality", ["depth", "model.cardinality", "model.base_width"]),
        ("preact_depth", ["depth", "model.order"]),
    ],
)
def test_rows_are_what_the_grid_varies_within_a_family(grid_of, study, rows):
    assert grid_of(study, "data.root=/images", "seed=0").rows == rows


def test_a_typo_beside_a_config_dir_is_still_one_line(resx, tmp_path):
    (tmp_path / "mine" / "study").mkdir(parents=True)
    text = (conf_dir() / "study" / "degradation.yaml").read_text()
    (tmp_path / "mine" / "study" / "own.yaml").write_text(text)
    for arguments in (("own", "--config-dir", "mine"), ("--config-dir", "mine", "own")):
        answer = resx("study", *arguments, "dpeth=3")
        assert (answer.code, answer.err.count("\n")) == (2, 1)
        assert "did you mean 'depth'?" in answer.err
