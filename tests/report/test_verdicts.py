"""Verdicts answer what the runs show, and no more; the sentence says what the data say."""

import json
import math

import pytest

from resx.report.selection import best_of
from resx.report.verdict import MARGIN, Answer, Verdict
from resx.report.verdicts import verdicts
from tests.report.synthetic import DEGRADED, Runs


def judge(runs: Runs, errors=None, test=None, **settings) -> list[Verdict]:
    runs.write(errors or {}, test, **settings)
    return verdicts(runs.collect().runs)


def test_degradation_is_found_and_called_optimisation(runs):
    plain, residual, cause, gap = judge(runs, DEGRADED)
    assert plain.text.startswith("Does the plain net degrade? Yes: clean training error goes from")
    # rises 5.0, 4.3, 5.4: std 0.557, and 4.303 * 0.557 / sqrt(3) = 1.38
    assert "(+4.90 points; 95 % interval +3.52 to +6.28, 3 seeds)" in plain.text
    assert residual.text.startswith("Does the residual net degrade? No: ")
    assert "Optimisation, both rise from plain-20 to plain-56" in cause.text
    assert "From 20 layers (+0.30 points" in gap.text


def test_a_verdict_is_data(runs):
    plain, _, cause, gap = judge(runs, DEGRADED)
    assert plain.question == "Does the plain net degrade?"
    assert plain.answer is Answer.YES
    assert plain.effect == pytest.approx(0.049)
    assert plain.interval == pytest.approx((0.0352, 0.0628), abs=1e-4)
    assert (plain.measure, plain.margin, plain.n) == ("train_clean_error", MARGIN, 3)
    assert plain.depths == (20, 56)
    assert (cause.answer, cause.effect) == (Answer.YES, plain.effect)
    assert (gap.answer, gap.depths) == (Answer.YES, (20,))
    assert gap.effect == pytest.approx(0.003)


def test_an_error_that_falls_by_more_than_the_margin_is_the_reverse_of_degradation(runs):
    _, residual, _, _ = judge(runs, DEGRADED)  # falls from 0.8 to 0.13 %
    assert residual.answer is Answer.REVERSED
    assert residual.effect == pytest.approx(-0.00667, abs=1e-5)


def test_a_rise_of_less_than_half_a_point_is_none(runs):
    tiny = {(20, True): (0.0010, 0.0011, 0.0010), (56, True): (0.0015, 0.0016, 0.0015)}
    (verdict,) = judge(runs, tiny)
    assert verdict.answer is Answer.NO
    assert verdict.interval[0] > 0  # beyond doubt, but too small to count
    assert "residual net degrade? No" in verdict.text


def test_over_fitting_is_told_from_degradation(runs):
    train = {(20, False): (0.02, 0.021, 0.019), (56, False): (0.001, 0.002, 0.001)}
    test = {(20, False): (0.08, 0.081, 0.079), (56, False): (0.12, 0.125, 0.118)}
    degradation, cause = judge(runs, train, test)
    assert degradation.text.startswith("Does the plain net degrade? No")
    assert "Over-fitting from plain-20 to plain-56" in cause.text
    assert cause.answer is Answer.REVERSED


def test_inconclusive_is_an_answer_and_says_how_many_seeds_are_missing(runs):
    noisy = {(20, False): (0.10, 0.30, 0.20), (56, False): (0.35, 0.28, 0.33)}
    degradation, cause = judge(runs, noisy)
    assert "Inconclusive, about" in degradation.text
    assert "more seeds would settle it" in degradation.text
    assert degradation.answer is cause.answer is Answer.CANNOT_TELL


def test_one_seed_is_no_evidence_and_the_sentence_says_so(runs):
    found = judge(runs, {network: errors[:1] for network, errors in DEGRADED.items()})
    assert "It seems so" in found[0].text
    assert "one seed, so no interval" in found[0].text
    assert {(v.answer, v.interval, v.n) for v in found} == {(Answer.CANNOT_TELL, None, 1)}


def test_nets_that_diverge_with_depth_degrade(runs):
    """A survivor's low error does not hide that the others diverged."""
    for seed in (1, 2):
        runs.write_one(110, False, seed, 0.9, status="diverged")
    (verdict, *_) = judge(runs, {(20, False): (0.02, 0.02, 0.02), (110, False): (0.001,)})
    assert "Yes: 2 of 3 runs of 110 layers diverged, 0 of 20 layers" in verdict.text
    assert (verdict.answer, verdict.measure, verdict.effect) == (Answer.YES, "n_diverged", 2)
    assert (verdict.interval, verdict.margin) == (None, None)


def test_where_all_values_diverged_the_network_did(runs):
    runs.write({(20, False): (0.02, 0.03)}, recipe__lr=0.1)
    for lr in (0.1, 0.01):
        for seed in (0, 1):
            runs.write_one(56, False, seed, 0.9, status="diverged", recipe__lr=lr)
    judged = best_of(runs.collect().runs, ["depth", "recipe.lr"], "recipe.lr")
    assert "Yes: 2 of 2 runs of 56 layers diverged, 0 of 20 layers." in verdicts(judged)[0].text


@pytest.mark.parametrize(
    ("plain", "residual", "answer", "words"),
    [
        ((0.30, 0.32), (0.10, 0.11), Answer.YES, "Yes: "),
        ((0.10, 0.11), (0.30, 0.32), Answer.REVERSED, "No, it harms: "),
        ((0.100, 0.101), (0.100, 0.101), Answer.NO, "No: "),
        ((0.1, 0.9), (0.2, 0.3), Answer.CANNOT_TELL, "Inconclusive, "),
    ],
)
def test_of_one_depth_the_verdict_is_on_the_shortcut(runs, plain, residual, answer, words):
    (verdict,) = judge(runs, {(56, False): plain, (56, True): residual})
    assert (verdict.answer, verdict.depths) == (answer, (56,))
    assert verdict.text.startswith(f"Does the shortcut help? {words}")


@pytest.mark.parametrize(
    ("diverged", "answer", "words"), [(False, Answer.YES, "Yes"), (True, Answer.REVERSED, "No")]
)
def test_a_shortcut_is_judged_by_which_twin_diverges(runs, diverged, answer, words):
    runs.write_one(56, diverged, 1, 0.9, status="diverged")
    (verdict,) = judge(runs, {(56, False): (0.3,), (56, True): (0.1,)})
    assert f"Does the shortcut help? {words}: {int(not diverged)} of " in verdict.text
    assert (verdict.answer, verdict.measure) == (answer, "share_diverged")
    assert verdict.effect == (-0.5 if diverged else 0.5)


def test_the_gain_of_a_shortcut_is_of_the_seeds_that_both_have(runs):
    (verdict,) = judge(runs, {(20, False): (0.3, 0.5), (20, True): (0.1,)})
    assert verdict.text.startswith(
        "Does the shortcut help? It seems so: clean training error 30.00 %"
    )


def test_a_gap_that_a_shortcut_opens_to_the_worse_is_reversed(runs):
    worse = {(depth, kind): DEGRADED[depth, not kind] for depth, kind in DEGRADED}
    gap = judge(runs, worse)[-1]
    assert (gap.answer, gap.depths) == (Answer.REVERSED, (20,))


def test_without_common_seeds_nothing_is_said(runs):
    runs.write_one(20, False, 0, 0.1)
    (verdict, *_) = judge(runs, {(56, False): ()}) or [None]
    assert verdict is None  # one depth, one twin
    runs.write_one(56, False, 1, 0.3)
    (verdict,) = judge(runs)
    assert verdict.text.endswith("Nothing to say: no seed has finished at both depths.")
    assert (verdict.answer, verdict.effect, verdict.n) == (Answer.CANNOT_TELL, None, 0)


def test_verdicts_as_json_have_no_nan(runs):
    for verdict in judge(runs, {network: errors[:1] for network, errors in DEGRADED.items()}):
        restored = json.loads(json.dumps(verdict.to_dict(), allow_nan=False))
        assert restored["answer"] == "cannot tell"
        assert math.isfinite(restored["effect"])
