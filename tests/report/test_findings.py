"""Verdicts and tables of several depths, families and variants."""

import json
import math

import pytest

from resx.report.collect import collect, find_runs
from resx.report.findings import analyse
from resx.report.measures import CLEAN_ERROR, CLEAN_LOSS, MEASURES
from resx.report.selection import PlannedRun, Selection, select
from resx.report.tables import measure_table
from tests.report.synthetic import DEGRADED


def test_rows_beyond_depth_get_verdicts_of_their_own(runs):
    """As in the studies of batch norm and shortcuts: depth is judged apart for each setting."""
    runs.write(DEGRADED)
    runs.write({k: tuple(0.5 - e for e in v) for k, v in DEGRADED.items()}, model__norm="none")
    sentences = runs.report().sentences
    for norm, word in (("batch", "Yes: "), ("none", "No, it falls")):
        start = f"With norm {norm}: Does the plain net degrade? {word}"
        assert any(sentence.startswith(start) for sentence in sentences)
    scopes = {verdict.scope for verdict in runs.report().verdicts}
    assert scopes == {"", "norm batch", "norm none"}  # the ranking is of all


def test_families_have_a_row_and_a_verdict_each(runs):
    for residual, error in ((False, 0.5), (True, 0.01)):
        resnet, wide = (error, error + 0.002, error + 0.004), (0.02, 0.0205, 0.021)
        runs.write({(56, residual): resnet}, model__name="resnet")
        runs.write({(56, residual): wide}, model__name="wide", model__widening=2)
    report = runs.report()
    first, second, departing = report.sentences  # families differ in size, so they are not ranked
    assert first.startswith(
        "With model resnet: Does the shortcut help? Yes: clean training error 50.20 %"
    )
    assert second.startswith(
        "With model wide: Does the shortcut help? Cannot tell: clean training error 2.05 %"
    )
    assert departing.startswith("Runs depart from the protocols of their papers in data, images")
    table = report.tables.gaps[CLEAN_ERROR]
    assert list(table["model"]) == ["resnet", "wide"]
    assert "widening" not in table


def test_unfinished_runs_are_missing_cells_not_numbers(runs):
    runs.write({(20, False): (0.01, 0.012), (20, True): (0.01,)})
    runs.write_one(56, False, 0, 0.9, status="interrupted")
    runs.write_one(56, True, 0, 0.9, status="diverged")
    report = runs.report()
    row = report.tables.gaps[CLEAN_ERROR].iloc[-1]
    assert list(row) == [56, "1 interrupted", "1 diverged", "-"]
    assert report.sentences[-1] == "Runs: 1 diverged, 3 finished, 1 interrupted."


@pytest.mark.parametrize(
    ("losses", "cell", "has_interval"),
    [
        ((0.1, 0.1, 0.1), "0.1 ± 0 (3)", True),
        ((0.1, math.inf, 0.1), "0.1 ± 0 (2), 1 without a finite loss", False),
        ((math.inf, math.nan, 0.1), "0.1 (1), 2 without a finite loss", False),
        ((math.inf, math.inf, math.inf), "3 without a finite loss", False),
    ],
)
def test_a_loss_that_is_not_finite_is_said_and_takes_the_interval(runs, losses, cell, has_interval):
    """Once "some without this split", beside an interval of the others."""
    runs.write({(56, False): (0.1, 0.1, 0.1), (56, True): (0.1, 0.1, 0.1)})
    table = runs.collect().runs
    table.loc[~table["residual"].astype(bool), CLEAN_LOSS.column] = losses
    (row,) = measure_table(table, ["depth"], CLEAN_LOSS).to_dict("records")
    assert row["plain"] == cell
    assert ("[" in row["gap"]) is has_interval


def test_every_data_set_is_judged_by_its_own_chance(runs):
    """Half of the images wrong is chance where there are two classes, beside ten or not."""
    for name in ("ten", "two"):
        runs.write({(56, False): (0.5,) * 3, (56, True): (0.49,) * 3}, data__name=name)
    table = runs.collect()
    chances = table.runs["data.name"].map({"ten": 0.9, "two": 0.5})
    table = table._replace(runs=table.runs.assign(chance=chances))
    rows = ("depth", "data.name")
    found = analyse(select(table, Selection("", "", "", rows=rows))).verdicts
    assert {(v.scope, v.reason == "chance") for v in found} == {
        ("data ten", False),
        ("data two", True),
    }


@pytest.mark.parametrize(
    ("errors", "answer", "words"),
    [
        ((0.1, 0.1), "yes", "Yes: clean training error 10.00 % at 56 layers; 0 of 2 runs"),
        ((0.9, 0.9), "reversed", "No: clean training error 90.00 % at 56 layers; 2 of 2 runs"),
        ((0.1, 0.9), "cannot tell", "Not always: clean training error"),
    ],
)
def test_a_network_alone_is_held_against_chance(runs, errors, answer, words):
    """Once a report without any verdict."""
    runs.write({(56, True): errors})
    (found,) = runs.report().verdicts
    assert (found.id, str(found.answer)) == ("trains", answer)
    assert found.text.startswith(f"Does the residual net train? {words}")


def test_runs_are_counted_once_and_only_those_that_ended_show_anything(runs):
    runs.write({(56, True): (0.1, 0.1, 0.1)})
    runs.write_one(56, True, 3, 0.1, status="interrupted")
    broken = runs.write_one(56, True, 4, 0.1)
    (broken / "config.yaml").write_text("depth: [")
    planned = tuple(PlannedRun((56,), True) for _ in range(6))
    report = runs.report(rows=("depth",), planned=planned)
    expected = "Runs: 3 finished, 1 interrupted, 1 missing, 1 unreadable and skipped."
    assert report.unfinished == expected
    assert report.unseen.startswith("With 3 seeds")


def test_runs_of_different_machines_are_pooled_but_it_is_said(runs):
    """Plain-56 on digits, the same three seeds: 60.2 % with AVX-512, 51.3 % with AVX2."""
    runs.write(DEGRADED)
    assert runs.report().machines == ""
    summary = next(runs.outputs.glob("runs/*/*/*/summary.json"))
    values = json.loads(summary.read_text())
    values["environment"] |= {"capability": "AVX512", "threads": 2}
    summary.write_text(json.dumps(values))
    expected = "Pooled runs were made differently: instruction set AVX2, AVX512; threads 1, 2."
    assert runs.report().sentences[-1] == expected


def test_a_planned_run_that_is_not_there_is_missing_and_another_cell_is_empty(runs):
    runs.write({(20, False): (0.01,)})
    planned = tuple(PlannedRun((depth,), False) for depth in (20, 56))
    report = runs.report(rows=("depth",), planned=planned)
    table = report.tables.gaps[CLEAN_ERROR]
    assert table[["depth", "plain", "residual"]].values.tolist() == [
        [20, "1.00 (1)", "-"],
        [56, "missing", "-"],
    ]
    assert report.unfinished == "Runs: 1 finished, 1 missing."
    assert report.tables.notes is None


def test_every_measure_has_a_table_under_its_heading(runs):
    runs.write(DEGRADED)
    tables = runs.report().tables.by_heading()
    assert list(tables)[: len(MEASURES)] == [measure.heading for measure in MEASURES]
    assert list(tables)[len(MEASURES) :] == [
        "Networks",
        "Departures from the papers' protocols",
        "Steps to reach a training error",
    ]


def test_the_notes_table_of_imagenet_stands_with_runs_of_imagenet_alone(runs):
    runs.write({(34, True): (0.3,)}, data__name="imagenet", data__image_size=224)
    assert runs.report().tables.notes is not None


def test_data_training_and_machine_are_named_before_any_number(runs):
    runs.write(DEGRADED)
    assert runs.report().facts == {
        "data": "digits: 1,437 training and 360 test images of 8 x 8 pixels",
        "training": "200 steps of 64 images (recipe digits, fp32)",
        "machine": "cpu none, instruction set AVX2, 1 thread, torch 2",
        "runs": "12 runs of 4 networks, 3 seeds",
    }


def test_a_report_does_not_depend_on_the_order_of_its_runs(runs):
    runs.write(DEGRADED)
    directories = find_runs(f"{runs.outputs}/runs/**")
    forwards, backwards = (
        analyse(select(collect(found), Selection("", "", "")))
        for found in (directories, directories[::-1])
    )
    assert forwards.sentences == backwards.sentences
    for heading, table in forwards.tables.by_heading().items():
        assert table.equals(backwards.tables.by_heading()[heading]), heading
