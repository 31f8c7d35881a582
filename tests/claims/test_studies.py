"""Two networks of a study are compared by the study's own rules, on one run a seed."""

import json

import pytest

from resx.claims.studies import of_comparison
from resx.config.composing import compose
from resx.config.schema import StudyConfig
from resx.config.settings import to_dict
from resx.reference.claims import claim
from resx.report.selection import Selection, select
from tests.report.synthetic import Runs

ROWS = ("depth", "model.order")
ORDERS = ("original", "full")
PREACT = claim("preact")
MEASUREMENT = PREACT.measurements[0]._replace(
    first={"depth": 20, "model.order": "original"}, second={"depth": 20, "model.order": "full"}
)


@pytest.fixture(scope="module")
def base():
    return to_dict(compose("model=preact"))


@pytest.fixture
def runs(tmp_path, base):
    return Runs(tmp_path / "outputs", base)


@pytest.fixture
def compared(runs, tmp_path):
    def compare(study=None, rows=ROWS, measurement=MEASUREMENT):
        selection = Selection("name", "question", "", rows, study=StudyConfig(**(study or {})))
        return of_comparison(PREACT, measurement, select(runs.collect(), selection), tmp_path)

    return compare


def write(runs, original, full, losses=None, **settings):
    for order, errors in zip(ORDERS, (original, full)):
        for seed, error in enumerate(errors):
            loss = losses[ORDERS.index(order)] * (1 + seed / 50) if losses else None
            runs.write_one(20, True, seed, error, loss=loss, model__order=order, **settings)


HIGH, LOW = (0.40, 0.41, 0.42), (0.10, 0.11, 0.12)


def test_by_training_errors_unless_the_study_says_otherwise(runs, compared):
    write(runs, HIGH, LOW)
    row = compared()
    assert row.verdict == "confirmed"
    assert row.effect == pytest.approx(0.3, abs=0.01)
    assert row.interval[0] < 0.3 < row.interval[1]
    assert row.evidence.startswith("+30")
    assert row.source == "study preact_depth: order original against order full (depth 20)"
    typical = "clean training error 41.00 % and 10.97 %"  # as the effect is, and no mean
    assert typical in row.text
    assert row.text.startswith("Does order original train worse than order full (depth 20)? Yes:")
    swapped = MEASUREMENT._replace(first=MEASUREMENT.second, second=MEASUREMENT.first)
    assert compared(measurement=swapped).verdict == "not confirmed"
    absent = MEASUREMENT._replace(first={"depth": 56})
    assert compared(measurement=absent).verdict == "not measured"


@pytest.mark.parametrize(
    ("errors", "losses", "study", "expected"),
    [
        # Errors say one thing, losses another: the study decides by which.
        ((LOW, HIGH), (1.0, 0.1), {}, ("not confirmed", "error")),
        ((LOW, HIGH), (1.0, 0.1), {"measure": "loss"}, ("confirmed", "loss")),
        ((HIGH, LOW), None, {"margin": 0.35}, ("level", "error")),
        ((HIGH, LOW), (1.0, 0.8), {"measure": "loss", "ratio": 2.0}, ("level", "loss")),
    ],
)
def test_measure_margin_and_ratio_are_the_studys(runs, compared, errors, losses, study, expected):
    write(runs, *errors, losses)
    answers = MEASUREMENT.answers | {"no": "level"}
    row = compared(study, measurement=MEASUREMENT._replace(answers=answers))
    assert (row.verdict, row.measure) == expected


def test_each_network_is_judged_at_its_best_rate_with_one_run_a_seed(runs, compared):
    """Nine runs of a kind are three seeds: what the other rates do is no evidence."""
    for lr, high, low in ((0.1, HIGH, LOW), (0.3, (0.8, 0.85, 0.9), (0.9, 0.9, 0.88))):
        write(runs, high, low, recipe__lr=lr)
    row = compared({"best_over": "recipe.lr"}, (*ROWS, "recipe.lr"))
    assert row.effect == pytest.approx(0.3, abs=0.01)
    assert "3 seeds" in row.text
    assert "Best lr by training loss (each seed is judged at" in row.text
    assert "order original: 0.1" in row.text


def test_chance_is_that_of_the_runs_own_images(runs, compared):
    write(runs, (0.30, 0.31, 0.30), (0.29, 0.30, 0.31))
    assert "learned more than chance" not in compared().text
    for path in runs.outputs.glob("runs/*/*/*/summary.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"chance": 0.3}))
    row = compared()
    assert row.verdict == "cannot tell"
    assert "chance" in row.text
    assert "decided by" not in row.text


def test_a_run_that_diverged_counts(runs, compared):
    write(runs, HIGH, LOW)
    for seed in (3, 4, 5):
        runs.write_one(20, True, seed, 0.9, status="diverged", model__order="original")
    row = compared()
    assert row.interval is None
    assert "3 of 6 order original and 0 of 3 order full runs failed" in row.text
