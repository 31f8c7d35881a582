"""Every claim has a measurement that exists, and a study's runs become the verdict they deserve."""

import json
import re

import pytest

from resx.analyses.analysis import ClaimVerdict
from resx.claims.row import FAILED, NOT_MEASURED, Row
from resx.claims.studies import of_verdict
from resx.claims.wording import said, wording
from resx.config.requests import COMMANDS
from resx.config.variation import Variation
from resx.reference.claims import all_claims, claim, in_chinese
from tests.conftest import yamls

MEASUREMENTS = [(c, m) for c in all_claims() for m in c.measurements]


def test_every_claim_of_the_notes_is_there_once():
    ids = [claim.id for claim in all_claims()]
    assert len(ids) == len(set(ids)) == 22
    assert all(c.english and c.caveats and c.measurements for c in all_claims())
    assert [c.id for c in all_claims() if not c.chinese] == ["shattering"]  # beyond the notes


def test_every_claim_is_told_in_chinese_as_far_as_it_is_in_english():
    told = in_chinese()
    assert list(told) == [claim.id for claim in all_claims()]
    for each in all_claims():
        expected = {"plain", "caveats"} | ({"decides"} if each.decides else set())
        assert set(told[each.id]) == expected
        for text in told[each.id].values():
            assert any("\u4e00" <= letter <= "\u9fff" for letter in text)


def test_numbers_are_the_same_in_both_languages():
    """What is reported must not change on the way, but for what words say: "a quarter"."""

    def numbers(text):
        return set(re.findall(r"\d+\.\d+", text))

    for each in all_claims():
        assert numbers(each.caveats) == numbers(in_chinese()[each.id]["caveats"]), each.id


def test_every_verdict_and_heading_has_its_chinese():
    english, chinese = wording()["en"], wording()["zh"]
    assert english.keys() == chinese.keys()
    for verdict in [*ClaimVerdict, NOT_MEASURED, FAILED]:
        assert said(verdict, "en") == verdict
        assert not re.search("[a-z]", said(verdict, "zh"))


def test_every_study_exists_and_every_answer_is_a_verdict():
    for _, measurement in MEASUREMENTS:
        for study in filter(None, (measurement.study, measurement.runs_of)):
            assert study in yamls("study")
        assert set(measurement.answers.values()) <= set(ClaimVerdict)
        if measurement.study:
            both = {"both"} if measurement.question == "cause" else set()
            assert set(measurement.answers) == {"yes", "no", "reversed"} | both
            assert bool(measurement.question) != bool(measurement.first)


@pytest.mark.parametrize(
    ("claim", "measurement"), [m for m in MEASUREMENTS if m[1].networks and not m[1].runs_of]
)
def test_the_networks_of_an_analysis_can_be_typed(claim, measurement):
    cell = dict(line.split("=") for line in measurement.networks)
    first = {key: values.split(",")[0] for key, values in cell.items()}
    assert Variation([]).config(first).depth
    assert "analyze" in COMMANDS


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
