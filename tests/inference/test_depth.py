"""Degradation, the first depth with a gap, over-fitting and convergence."""

import math

import pytest

from resx.inference import (
    Answer,
    Arm,
    Measure,
    Reason,
    Rules,
    degradation,
    falls_with_depth,
    first_gap,
    median_steps,
    overfitting,
    seeds_for_errors,
    slower,
)

IMAGES = 1437
RULES = Rules(chance=0.9)


def near(error: float, seeds: int = 5, images: int = IMAGES, loss: float = 0.01) -> Arm:
    """Seeds that scatter a little around an error and a loss."""
    factors = [1 + 0.05 * (i - (seeds - 1) / 2) for i in range(seeds)]
    return Arm([f * error for f in factors], images, [f * loss for f in factors])


def test_the_deepest_is_held_against_the_best_shallower_depth():
    """Before: "No" for 5.0, 0.1 and 4.5 % at 8, 20 and 56 layers."""
    arms = {8: near(0.05, 3), 20: near(0.001, 3), 56: near(0.045, 3)}
    finding = degradation(arms, RULES)
    assert (finding.answer, finding.depths) == (Answer.YES, (56, 20))


def test_an_error_that_falls_with_depth_is_reversed_and_has_its_own_question():
    arms = {20: near(0.1), 32: near(0.06), 56: near(0.01)}
    assert degradation(arms, RULES).answer is Answer.REVERSED
    finding = falls_with_depth(arms, RULES)
    assert (finding.answer, finding.depths) == (Answer.YES, (20, 56))


def test_equal_errors_of_many_images_are_level():
    arms = {depth: near(0.02, images=50_000) for depth in (20, 32, 56)}
    assert degradation(arms, RULES).answer is Answer.NO


def test_three_wrong_images_are_not_a_rise_but_the_loss_may_be_one():
    """Before: "residual does not degrade" while its loss was 3.3 times as great."""
    arms = {20: near(0.0, loss=0.001), 56: near(2 / IMAGES, loss=0.0033)}
    finding = degradation(arms, RULES)
    assert (finding.answer, finding.measure) == (Answer.YES, Measure.LOSS)
    assert falls_with_depth(arms, RULES).answer is Answer.REVERSED


def test_nets_at_chance_do_not_degrade_nor_do_they_not():
    finding = degradation({20: near(0.9), 56: near(0.9)}, RULES)
    assert (finding.answer, finding.reason) == (Answer.CANNOT_TELL, Reason.CHANCE)


def test_one_depth_has_no_answer():
    assert degradation({20: near(0.1)}, RULES).answer is Answer.CANNOT_TELL
    assert falls_with_depth({}, RULES).answer is Answer.CANNOT_TELL


def test_a_net_that_diverges_with_depth_degrades():
    arms = {20: near(0.02, 3), 110: Arm([None, None, None], IMAGES)}
    assert degradation(arms, RULES).answer is Answer.YES
    arms |= {32: near(0.03, 3), 44: near(0.05, 3)}
    assert degradation(arms, RULES).answer is Answer.YES


def test_three_seeds_worse_than_one_of_three_depths_may_be_luck():
    arms = {20: near(0.01, 3), 32: near(0.6, 3), 44: near(0.6, 3), 56: near(0.6, 3)}
    finding = degradation(arms, RULES)
    assert (finding.answer, finding.reason) == (Answer.CANNOT_TELL, Reason.FEW_SEEDS)


def test_the_first_gap_is_looked_for_from_the_deepest_net():
    """Before: "From 20 layers" where 32 shows nothing."""
    pairs = {
        20: (near(0.06), near(0.02)),
        32: (near(0.03), near(0.03)),
        44: (near(0.2), near(0.02)),
        56: (near(0.6), near(0.01)),
    }
    found = first_gap(pairs, RULES)
    assert found.depth == 44
    assert list(found.asked) == [56, 44, 32]
    assert found.finding.depths == (44, 44)


def test_a_shortcut_that_harms_is_no_gap():
    """Before: "From 20 layers (-0.81 points)"."""
    found = first_gap({20: (near(0.02), near(0.04)), 56: (near(0.02), near(0.06))}, RULES)
    assert (found.depth, found.finding.answer) == (None, Answer.REVERSED)


def test_a_plain_net_that_diverges_in_every_seed_is_a_gap():
    lost = Arm([None, None, None], IMAGES)
    found = first_gap({20: (near(0.02, 3), near(0.02, 3)), 56: (lost, near(0.01, 3))}, RULES)
    assert found.depth == 56
    with pytest.raises(ValueError, match="no depth"):
        first_gap({}, RULES)


def test_training_error_that_rises_a_little_does_not_excuse_over_fitting():
    """Before: "Optimisation" for training +0.2, test +8.0."""
    shallow = near(0.02), near(0.06, images=360)
    finding = overfitting((near(0.022), near(0.14, images=360)), shallow, RULES)
    assert finding.answer is Answer.YES
    assert finding.effect == pytest.approx(0.078, abs=0.01)
    assert finding.measure is Measure.TEST_MINUS_TRAIN


def test_a_net_that_fits_neither_has_not_over_fitted():
    shallow = near(0.02), near(0.06, images=360)
    finding = overfitting((near(0.9), near(0.9, images=360)), shallow, RULES)
    assert (finding.answer, finding.reason) == (Answer.CANNOT_TELL, Reason.UNTRAINED)


@pytest.mark.parametrize("lost", range(4))
def test_over_fitting_is_not_told_from_the_runs_that_survive(lost):
    """Whichever of the four arms has lost a run."""
    arms = [near(0.022), near(0.14, images=360), near(0.02), near(0.06, images=360)]
    errors = [*arms[lost].errors[:-1], None]
    arms[lost] = Arm(errors, arms[lost].images)
    finding = overfitting((arms[0], arms[1]), (arms[2], arms[3]), RULES)
    assert (finding.answer, finding.reason) == (Answer.CANNOT_TELL, Reason.DIVERGED)


def test_a_fresh_set_is_as_large_as_the_rule_on_luck_asks():
    """Three seeds that are worse than one of three depths may be luck; once three were promised."""
    deep, shallow = near(0.6, 3), near(0.01, 3)
    sizes = [seeds_for_errors(deep, shallow, RULES, shallower=shallower) for shallower in (1, 3)]
    assert sizes == [3, 4]


def test_seeds_that_never_arrive_are_not_forgotten():
    assert median_steps([100, 200, None], 1000).median == 200
    assert median_steps([100, math.nan, None], 1000).median is None
    assert median_steps([None, None], 1000).arrived == 0


def test_deep_nets_may_need_more_steps_or_never_arrive():
    quick = [100, 110, 120, 100, 110]
    assert slower([300, 350, 330, 310, 340], quick, RULES, 10).answer is Answer.YES
    assert slower([None, None, None, 400, 500], quick, RULES, 10).answer is Answer.YES
    assert slower(quick, quick, RULES, 10).answer is Answer.NO
    assert slower([100] * 3, [100] * 3, RULES, 10).interval not in (None, (1.0, 1.0))


def test_one_seed_at_a_further_depth_does_not_undo_an_answer():
    """Once it counted as if every depth had a single seed: "could look like this by luck"."""
    arms = {20: near(0.01, 3), 32: near(0.01, 3), 56: near(0.52, 3)}
    assert degradation(arms, RULES).answer is Answer.YES
    assert degradation(arms | {44: Arm([0.3], IMAGES)}, RULES).answer is Answer.YES


def test_a_p_is_that_of_the_test_it_is_named_by():
    """Of four seeds ranks tell two depths apart, but not four: then the failures are counted."""
    arms = {d: Arm([e, 1.05 * e, 0.95 * e, e], IMAGES) for d, e in ((20, 0.01), (32, 0.02))}
    arms |= {44: Arm([0.03, 0.031, 0.029, 0.03], IMAGES), 56: Arm([0.6, 0.58, 0.62, None], IMAGES)}
    finding = degradation(arms, RULES)
    assert finding.answer is Answer.CANNOT_TELL
    assert finding.reason is finding.test is Reason.FAILURES
    assert finding.p > 0.3
    few = {20: near(0.01), 44: Arm([0.3], IMAGES), 56: Arm([None] * 5, IMAGES)}
    finding = degradation(few, RULES)
    assert finding.test is Reason.WORST_RANK and finding.p == pytest.approx(1 / 252)


@pytest.mark.parametrize(("deep", "shallow"), [(30, 20), (60, 40), (90, 60), (150, 100)])
def test_slower_by_just_the_ratio_is_a_tie(deep, shallow):
    """Once the last bit of a logarithm decided: 30 to 20 was slower, 60 to 40 was not."""
    found = slower([deep] * 4 + [None], [shallow] * 5, RULES, 10)
    assert found.answer is Answer.CANNOT_TELL
    assert found.p == pytest.approx(0.5)


def test_a_spread_that_is_known_is_not_raised_like_one_that_is_estimated():
    """Seeds that agree scatter as the images do; once forty were asked for, where ten suffice."""
    agreeing = [Arm([error] * 3, IMAGES) for error in (0.02, 0.0106)]
    assert 5 < seeds_for_errors(*agreeing, RULES) < 20


def test_a_run_that_did_not_arrive_is_slower_only_than_what_it_was_seen_to_be():
    """Of 200 steps without arriving it is not known that they are 1.5 times 195."""
    never = [math.nan] * 3
    assert slower(never, [100, 110, 120], RULES, 10, 200).answer is Answer.YES
    assert slower(never, [190, 195, 200], RULES, 10, 200).answer is Answer.CANNOT_TELL
    assert slower(never * 2, [190, 195, 200] * 2, RULES, 10, 200).answer is Answer.CANNOT_TELL
    assert slower([100, 110, 120], never, RULES, 10, 200).answer is Answer.REVERSED


def test_a_single_shallow_run_that_many_deep_ones_fail_beside_is_counted_as_one():
    arms = {20: Arm([0.01], IMAGES), 56: Arm([None] * 45, IMAGES)}
    assert degradation(arms, RULES).n == (45, 1)
