"""Every claim has a measurement that exists, and a study's runs become the verdict they deserve."""

import json

import pytest

from resx.analyses.analysis import ClaimVerdict
from resx.claims.row import Row
from resx.claims.studies import of_comparison, of_verdict
from resx.config.requests import COMMANDS
from resx.config.variation import Variation
from resx.reference.claims import all_claims, claim
from resx.store.run import Run
from tests.conftest import yamls

MEASUREMENTS = [(c, m) for c in all_claims() for m in c.measurements]


def test_every_claim_of_the_notes_is_there_once():
    ids = [claim.id for claim in all_claims()]
    assert len(ids) == len(set(ids)) == 22
    assert all(c.english and c.caveats and c.measurements for c in all_claims())
    assert [c.id for c in all_claims() if not c.chinese] == ["shattering"]  # beyond the notes


def test_every_study_exists_and_every_answer_is_a_verdict():
    for _, measurement in MEASUREMENTS:
        for study in filter(None, (measurement.study, measurement.runs_of)):
            assert study in yamls("study")
        assert set(measurement.answers.values()) <= set(ClaimVerdict)
        if measurement.study:
            assert set(measurement.answers) == {"yes", "no", "reversed"}
            assert bool(measurement.question) != bool(measurement.first)


@pytest.mark.parametrize(
    ("claim", "measurement"), [m for m in MEASUREMENTS if m[1].networks and not m[1].runs_of]
)
def test_the_networks_of_an_analysis_can_be_typed(claim, measurement):
    cell = dict(line.split("=") for line in measurement.networks)
    first = {key: values.split(",")[0] for key, values in cell.items()}
    assert Variation([]).config(first).depth
    assert "analyze" in COMMANDS


@pytest.fixture
def study_runs(resx, tiny, tmp_path):
    """Finished runs of two orders of a tiny pre-activation net, over three seeds."""
    options = ("model=preact", "model.order=original,full", "seed=0,1,2")
    options += ("depth=8", "model.width=2", "recipe.steps=2", "recipe.record_every=2")
    answer = resx("train", "-m", *options, "recipe.eval_every=2")
    assert answer.code == 0, answer.err
    return sorted(tmp_path.glob("outputs/runs/*/*/*"))


@pytest.mark.slow
def test_two_networks_of_a_study_are_compared_by_their_training_error(study_runs, tmp_path):
    """Which run is which is read from its configuration; here the errors are set."""
    for directory in study_runs:
        run = Run(directory)
        worse = run.read_config()["model"]["order"] == "original"
        summary = json.loads((directory / "summary.json").read_text())
        error = (0.4 if worse else 0.1) + 0.001 * summary["seed"]
        summary["last"]["train_clean"] |= {"error": error, "loss": error}
        del summary["checksum"]  # it would be wrong
        (directory / "summary.json").write_text(json.dumps(summary))
    preact = claim("preact")
    measurement = preact.measurements[0]._replace(
        first={"depth": 8, "model.order": "original"}, second={"depth": 8, "model.order": "full"}
    )
    row = of_comparison(preact, measurement, study_runs, tmp_path)
    assert row.verdict == "confirmed"
    assert row.effect == pytest.approx(0.3, abs=0.01)
    assert row.interval[0] < 0.3 < row.interval[1]
    assert row.evidence.startswith("+30")
    assert row.source == "study preact_depth: order original against order full (depth 8)"
    swapped = measurement._replace(first=measurement.second, second=measurement.first)
    assert of_comparison(preact, swapped, study_runs, tmp_path).verdict == "not confirmed"
    absent = measurement._replace(first={"depth": 20})
    assert of_comparison(preact, absent, study_runs, tmp_path).verdict == "not measured"


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [("yes", "confirmed"), ("reversed", "not confirmed"), ("cannot tell", "cannot tell")],
)
def test_a_verdict_of_a_report_is_found_by_its_id(tmp_path, answer, verdict):
    one = {"id": "degradation-plain", "question": "?", "answer": answer, "effect": 0.6}
    one |= {"interval": [0.42, 0.78], "measure": "error", "text": "So."}
    (tmp_path / "verdicts.json").write_text(json.dumps([one | {"id": "ranking"}, one]))
    degradation = claim("degradation")
    row = of_verdict(degradation, degradation.measurements[0], tmp_path)
    assert (row.verdict, row.text) == (verdict, "So.")
    assert row.evidence == "+60.00 points [+42.00, +78.00] of training error"
    (tmp_path / "verdicts.json").write_text(json.dumps([one | {"id": "ranking"}]))
    row = of_verdict(degradation, degradation.measurements[0], tmp_path)
    assert row.verdict == "not measured"


def test_effects_read_in_their_unit():
    some = claim("identity")
    row = Row(some, some.measurements[0], "confirmed", effect=2.0, interval=(1.5, 2.6))
    assert row.evidence == "2 [1.5, 2.6]"
    loss = Row(some, some.measurements[0], "confirmed", effect=2.0, measure="loss")
    assert loss.evidence == "2 times the training loss"
