"""Every run is found and read, once; what cannot be read is named."""

import json
import math
from dataclasses import fields

import pytest

from resx.errors import RequestError
from resx.report.collect import collect, find_runs
from resx.store.summary import Summary
from tests.report.synthetic import DEGRADED, STEPS


def test_a_run_is_a_row_of_settings_and_scores(runs):
    directory = runs.write_one(56, False, 3, 0.25, 0.5, recipe__milestones=[10, 20])
    runs.write_one(56, True, 3, 0.1, status="interrupted")
    collected = runs.collect()
    assert len(collected.runs) == 2
    row = collected.runs.loc[str(directory)]
    assert (row["depth"], row["residual"], row["seed"]) == (56, False, 3)
    assert row["recipe.milestones"] == (10, 20)
    assert (row["train_clean_error"], row["test_error"], row["test_loss"]) == (0.25, 0.5, 1.0)
    assert math.isnan(row["val_error"])
    assert list(collected.runs["status"]) == ["finished", "interrupted"]


def test_curves_hold_every_record_with_its_run(runs):
    directory = runs.write_one(56, False, 0, 0.25)
    curves = runs.collect().curves
    assert set(curves["directory"]) == {str(directory)}
    assert list(curves[curves["split"] == "train_clean"]["step"]) == list(STEPS)
    assert curves["error"].iloc[-1] == 0.25 + 1 / STEPS[-1]


def test_damaged_runs_are_skipped_and_named(runs):
    runs.write(DEGRADED)
    damaged = find_runs(f"{runs.outputs}/runs/*/resnet-20-*/s*")[:4]
    (damaged[0] / "summary.json").unlink()
    (damaged[1] / "summary.json").write_text((damaged[1] / "summary.json").read_text()[:40])
    (damaged[2] / "metrics.jsonl").write_text('{"step": 1, "spl\n')
    (damaged[3] / "config.yaml").write_text("depth: [")
    collected = runs.collect()
    assert list(collected.skipped) == list(map(str, damaged))
    assert collected.skipped[str(damaged[0])].endswith("summary.json: is missing")
    assert len(collected.runs) == 8
    assert runs.report().unfinished == "Runs: 8 finished, 4 unreadable and skipped."


def test_what_lies_within_a_run_is_no_run(runs):
    directory = runs.write_one(56, False, 0, 0.25)
    for name in ("config.yaml", "summary.json", "metrics.jsonl"):
        for place in (directory / "analyses" / "lesion", directory / ".hydra"):
            place.mkdir(parents=True, exist_ok=True)
            (place / name).write_text((directory / name).read_text())
    for pattern in (
        f"{runs.outputs}/runs/**",
        f"{directory}",
        f"{runs.outputs}",
        f"{directory}/**",
    ):
        assert find_runs(pattern) == [directory]
    with pytest.raises(RequestError, match="no runs there"):
        find_runs(f"{directory}/analyses/*")


def test_a_configuration_in_a_folder_above_hides_no_run(runs):
    directory = runs.write_one(56, False, 0, 0.25)
    (runs.outputs / "config.yaml").write_text("theirs: 1")
    assert find_runs(f"{runs.outputs}/runs/**") == [directory]


def test_patterns_that_overlap_find_a_run_once(runs):
    runs.write({(20, False): (0.1, 0.2), (56, True): (0.1,)})
    assert len(find_runs(f"{runs.outputs}/**")) == 3
    assert len(find_runs(f"{runs.outputs}/runs/digits/resnet-20-*")) == 2
    assert len(find_runs(f"{runs.outputs}/runs/digits/*/s1-*")) == 1


def test_synthetic_summaries_have_every_key_of_a_trained_runs(runs):
    written = json.loads((runs.write_one(56, False, 0, 0.25) / "summary.json").read_text())
    assert set(written) == {field.name for field in fields(Summary)}


def test_no_runs_is_an_empty_collection():
    collected = collect([])
    assert collected.runs.empty
    assert collected.curves.empty


def test_an_empty_selection_names_what_is_there(resx, runs):
    runs.write_one(56, False, 0, 0.25)
    answer = resx("report", "runs=outputs/runs/cifar10/**")
    assert answer.code == 2
    assert answer.err == (
        "resx report: runs=outputs/runs/cifar10/**: no runs there; outputs/runs/ has digits\n"
    )
