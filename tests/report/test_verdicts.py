"""Verdicts answer what the runs show, and no more; the sentence says what the data say."""

import json

import pytest

from resx.config.schema import StudyConfig
from resx.errors import RequestError
from resx.inference import Answer
from resx.report.verdict import Verdict
from resx.report.verdicts import verdicts
from resx.report.yardstick import yardstick_of
from tests.report.synthetic import DEGRADED, Runs

IMAGE = 1 / 1437


def judge(runs: Runs, errors=None, test=None, study=None, losses=None, **settings):
    """The verdicts by their ids."""
    runs.write(errors or {}, test, losses=losses, **settings)
    collected = runs.collect()
    judged = yardstick_of(collected.runs, collected.curves, study or StudyConfig(name="test"))
    return {verdict.id: verdict for verdict in verdicts(*judged)}


def test_degradation_is_found_and_called_optimisation(runs):
    found = judge(runs, DEGRADED)
    plain, cause = found["degradation-plain"], found["cause"]
    assert plain.answer is Answer.YES
    start = "Does the plain net degrade? Yes: clean training error rises from 1.10 % at 20 to"
    assert plain.text.startswith(start)
    assert "margin 0.5 points; 3 seeds" in plain.text
    assert cause.text.startswith("Over-fitting or optimisation? Optimisation from plain-20")
    # 0.8 to 0.13 % is a fall, but three seeds do not show that it is one of more than half a point.
    assert found["falls-with-depth"].answer is Answer.CANNOT_TELL


def test_a_verdict_is_data(runs):
    found = judge(runs, DEGRADED)
    plain = found["degradation-plain"]
    assert plain.effect == pytest.approx(0.049, abs=2e-4)
    low, high = plain.interval
    assert 0.03 < low < plain.effect < high < 0.08
    assert (plain.measure, plain.margin, plain.n, plain.failed) == ("error", 0.005, (3, 3), (0, 0))
    assert plain.depths == (20, 56)
    data = json.loads(json.dumps([v.to_dict() for v in found.values()], allow_nan=False))
    assert {v["id"] for v in data} == set(found)
    assert data[0]["answer"] == "yes"


def test_a_shortcut_that_harms_opens_no_gap(runs):
    """Once it was announced as a gap "From 20 layers (-0.81 points)"."""
    worse = {(depth, kind): DEGRADED[depth, not kind] for depth, kind in DEGRADED}
    gap = judge(runs, worse)["first-gap"]
    assert gap.answer is Answer.REVERSED
    assert gap.text.split("? ")[1].startswith("From none: it harms at 56 layers")


def test_a_gap_is_asked_for_from_the_deepest_net_upward(runs):
    """A gap at 20 layers does not begin there if 32 shows none."""
    errors = {
        (20, False): (0.050, 0.052, 0.051),
        (20, True): (0.010, 0.011, 0.012),
        (32, False): (0.020, 0.021, 0.022),
        (32, True): (0.020, 0.021, 0.022),
        (56, False): (0.30, 0.32, 0.31),
        (56, True): (0.02, 0.02, 0.021),
    }
    gap = judge(runs, errors)["first-gap"]
    assert (gap.answer, gap.depths) == (Answer.YES, (56,))
    assert "From 56 layers on" in gap.text
    assert "At 32 layers" in gap.text


def test_runs_that_diverge_rank_worst(runs):
    """Once plain-56 that diverged in every seed was "inconclusive"."""
    for seed in range(3):
        runs.write_one(56, False, seed, 0.9, status="diverged")
    found = judge(runs, {k: v for k, v in DEGRADED.items() if k != (56, False)})
    for id in ("degradation-plain", "first-gap"):
        assert found[id].answer is Answer.YES
        assert found[id].failed[0] == 3
        assert "exact p = 0.016" in found[id].text
        assert found[id].interval is None
    assert "rises from 1.10 % at 20 to divergence at 56 layers" in found["degradation-plain"].text


def test_the_deepest_net_is_held_against_the_best_of_the_shallower(runs):
    """5.0, 0.1, 4.5 % at 8, 20, 56 layers is a rise, though 8 layers are the worst."""
    errors = {
        (8, False): (0.050, 0.049, 0.051, 0.05, 0.052),
        (20, False): (0.001, 0.002, 0.001, 0.001, 0.002),
        (56, False): (0.045, 0.044, 0.047, 0.046, 0.045),
    }
    plain = judge(runs, errors)["degradation-plain"]
    assert (plain.answer, plain.depths) == (Answer.YES, (20, 56))


def test_an_error_that_falls_is_not_called_level(runs):
    errors = {(20, False): (0.10, 0.11, 0.105), (56, False): (0.05, 0.051, 0.052)}
    plain = judge(runs, errors)["degradation-plain"]
    assert plain.answer is Answer.REVERSED
    assert "No, it falls" in plain.text


def test_at_chance_nothing_is_decided(runs):
    errors = {(20, False): (0.9, 0.899, 0.9), (56, False): (0.9, 0.9, 0.901)}
    plain = judge(runs, errors)["degradation-plain"]
    assert (plain.answer, plain.reason) == (Answer.CANNOT_TELL, "chance")
    assert plain.text.endswith("runs of both networks diverged or stayed at chance.")


def test_level_is_within_the_margin_that_the_sentence_states(runs):
    errors = {(20, True): (0.100,) * 9, (56, True): (0.101,) * 9}
    wide = judge(runs, errors, study=StudyConfig(name="wide", margin=0.02))["degradation-residual"]
    assert wide.answer is Answer.NO
    assert "No, it is level" in wide.text
    assert "margin 2 points" in wide.text
    collected = runs.collect()
    strict = yardstick_of(collected.runs, collected.curves, StudyConfig(name="strict"))
    assert verdicts(*strict)[0].answer is Answer.CANNOT_TELL  # nine times 1,437 images are few


def test_at_the_floor_the_loss_decides(runs):
    """Of 0 to 3 wrong images of 1,437 no "does not degrade": the loss is 3.3 times as large."""
    errors = {(20, True): (0.0, IMAGE, 0.0), (56, True): (2 * IMAGE, 3 * IMAGE, 0.0)}
    losses = {(20, True): (0.0010, 0.0011, 0.0009), (56, True): (0.0033, 0.0034, 0.0032)}
    found = judge(runs, errors, losses=losses)
    residual = found["degradation-residual"]
    assert (residual.answer, residual.measure) == (Answer.YES, "loss")
    assert residual.effect == pytest.approx(3.3, abs=0.1)
    assert "all errors are at the floor, so losses decide" in residual.text
    assert "margin a factor of 1.5" in residual.text
    falls = found["falls-with-depth"]
    assert falls.answer is Answer.REVERSED
    assert falls.effect == pytest.approx(3.3, abs=0.1)  # from the shallow to the deep one, too
    assert "No, it rises" in falls.text


def test_an_interval_has_a_width_and_stays_inside_what_is_possible(runs):
    """Once "+0.07 to +0.07", one image in each seed, and "[-45.66, +145.45]"."""
    one = {(56, False): (20 * IMAGE,) * 3, (56, True): (19 * IMAGE,) * 3}
    found = judge(runs, one)["shortcut-helps"]
    assert found.interval[1] - found.interval[0] > IMAGE
    far = {(20, False): (0.05, 0.95, 0.5), (20, True): (0.0, 0.0, 0.001)}
    runs.write(far)
    collected = runs.collect()
    runs20 = collected.runs[collected.runs["depth"] == 20]
    judged = yardstick_of(runs20, collected.curves, StudyConfig(name="far"))
    (verdict,) = verdicts(*judged)
    assert -1 <= verdict.interval[0] <= verdict.interval[1] <= 1


def test_one_divergence_of_three_proves_nothing(runs):
    runs.write_one(56, False, 2, 0.9, status="diverged")
    found = judge(runs, {(56, False): (0.05, 0.06), (56, True): (0.05, 0.06, 0.055)})
    helps = found["shortcut-helps"]
    assert helps.answer is Answer.CANNOT_TELL
    assert "1 of 3 plain and 0 of 3 residual runs failed" in helps.text
    assert "clean training error" in helps.text  # both facts


def test_a_plain_net_at_chance_is_not_better_than_one_divergence(runs):
    """Once "No: 0 of 3 plain and 1 of 3 residual diverged" though plain had learned nothing."""
    for seed in range(5):
        runs.write_one(56, True, seed, 0.01, status="diverged" if seed == 4 else "finished")
    helps = judge(runs, {(56, False): (0.9,) * 5})["shortcut-helps"]
    assert helps.answer is Answer.YES
    assert helps.failed == (5, 1)


def test_over_fitting_is_told_from_optimisation(runs):
    """Training +0.2, test +8.0 points was called optimisation once."""
    train = {(20, True): (0.020, 0.021, 0.019), (56, True): (0.022, 0.023, 0.021)}
    test = {(20, True): (0.08, 0.081, 0.079), (56, True): (0.16, 0.165, 0.155)}
    found = judge(runs, train, test)["overfitting"]
    assert found.answer is Answer.YES
    assert found.effect == pytest.approx(0.078, abs=2e-3)
    assert found.text.startswith("Does the residual net over-fit? Over-fitting grows from")


def test_an_open_question_names_a_fresh_set_of_seeds(runs):
    noisy = {(20, False): (0.10, 0.30, 0.20), (56, False): (0.35, 0.28, 0.33)}
    plain = judge(runs, noisy)["degradation-plain"]
    assert plain.answer is Answer.CANNOT_TELL
    assert plain.fresh_seeds > 3
    assert f"a fresh set of about {plain.fresh_seeds} seeds each would tell" in plain.text


def test_a_question_to_several_depths_needs_more_fresh_seeds(runs):
    """Each of three comparisons has a third of alpha, in a fresh set as well."""
    noisy = {(20, False): (0.10, 0.30, 0.20), (56, False): (0.35, 0.28, 0.33)}
    two = judge(runs, noisy)["degradation-plain"]
    more = {(depth, False): (0.5, 0.7, 0.6) for depth in (32, 44)}
    four = judge(runs, more)["degradation-plain"]
    assert two.depths == four.depths == (20, 56)
    assert four.fresh_seeds > two.fresh_seeds


def test_an_untrained_net_cannot_over_fit_though_the_other_has_learned(runs):
    """Once "neither network has learned more than chance", of plain-20 with 1 %."""
    errors = {(20, False): (0.9, 0.9, 0.9), (56, False): (0.01, 0.02, 0.03)}
    cause = judge(runs, errors)["cause"]
    assert cause.answer is Answer.CANNOT_TELL
    assert cause.text.endswith("so that over-fitting is no question.")


def test_an_over_fitting_that_cannot_be_told_is_not_called_optimisation(runs):
    train = {(20, True): (0.02, 0.021, 0.019), (56, True): (0.2, 0.25, 0.3)}
    found = judge(runs, train, {(20, True): (0.03, 0.03, 0.03), (56, True): (0.2, 0.3, 0.33)})
    over = found["overfitting"]
    assert over.answer is Answer.CANNOT_TELL
    assert over.text.startswith("Does the residual net over-fit? Cannot tell from residual-20")
    assert over.text.endswith("; the interval is too wide to tell.")  # nothing was planned


def test_where_most_runs_diverge_the_sentence_does_not_quote_the_others_as_typical(runs):
    """Once "from 0.80 % to 0.20 % (+89.20 points)"."""
    for seed in (1, 2):
        runs.write_one(56, True, seed, 0.9, status="diverged")
    errors = {(20, True): (0.008, 0.009, 0.007), (56, True): (0.002,)}
    residual = judge(runs, errors)["degradation-residual"]
    assert "from 0.80 % at 20 to divergence in 2 of 3 runs at 56 layers (+89.20" in residual.text
    assert "+89.20 points between medians, of which failed runs are part" in residual.text


def test_one_seed_is_no_evidence_and_the_sentence_says_so(runs):
    found = judge(runs, {network: errors[:1] for network, errors in DEGRADED.items()})
    assert {(v.answer, v.interval, v.n) for v in found.values()} == {
        (Answer.CANNOT_TELL, None, (1, 1))
    }
    assert "one seed gives no interval" in found["degradation-plain"].text


@pytest.mark.parametrize(
    ("plain", "residual", "answer", "words"),
    [
        ((0.30, 0.32, 0.31), (0.10, 0.11, 0.12), Answer.YES, "Yes: "),
        ((0.10, 0.11, 0.12), (0.30, 0.32, 0.31), Answer.REVERSED, "No, it harms: "),
        ((0.1, 0.9, 0.5), (0.2, 0.3, 0.25), Answer.CANNOT_TELL, "Cannot tell: "),
    ],
)
def test_of_one_depth_the_verdict_is_on_the_shortcut(runs, plain, residual, answer, words):
    found = judge(runs, {(56, False): plain, (56, True): residual})
    verdict: Verdict = found["shortcut-helps"]
    assert (verdict.answer, verdict.depths) == (answer, (56,))
    assert verdict.text.startswith(f"Does the shortcut help? {words}")


def test_unfinished_runs_are_not_judged(runs):
    runs.write_one(56, False, 0, 0.9, status="interrupted")
    found = judge(runs, {(56, True): (0.1, 0.2)})
    assert "shortcut-helps" not in found


def test_a_study_may_judge_by_loss_or_early(runs):
    """Errors fall as error + 1 / step; the early one is that of the named step."""
    losses = {(56, False): (0.02, 0.021, 0.022), (56, True): (0.01, 0.011, 0.012)}
    errors = {(56, False): (0.3, 0.31, 0.32), (56, True): (0.3, 0.31, 0.32)}
    loss = StudyConfig(name="s", measure="loss")
    found = judge(runs, errors, losses=losses, study=loss)["shortcut-helps"]
    assert found.measure == "loss"
    assert found.effect == pytest.approx(1.9, abs=0.05)
    assert "clean training loss 0.02098 without" in found.text
    early = StudyConfig(name="s", measure="early", at_step=10)
    found = judge(runs, study=early)["shortcut-helps"]
    assert "running training error at step 10 41.00 % without" in found.text
    with pytest.raises(RequestError, match="at_step=11: no run has a record of that step"):
        judge(runs, study=StudyConfig(name="s", measure="early", at_step=11))
