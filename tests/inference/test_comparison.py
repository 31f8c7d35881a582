"""Two networks compared: each row is a verdict that was wrong or misleading before."""

import math
from dataclasses import replace

import pytest
from scipy import stats

from resx.inference import Answer, Arm, Measure, Reason, Rules, compare, compare_ratio
from resx.inference.ranks import (
    failures_p,
    is_exact,
    luck,
    luck_of_best,
    smallest_rank_p,
    worst_rank_p,
)

IMAGES = 1437
RULES = Rules(chance=0.9)


def arm(*errors: float | None, losses: tuple[float, ...] = ()) -> Arm:
    return Arm(errors, IMAGES, losses)


def test_a_clear_gap_of_three_seeds():
    finding = compare(arm(0.60, 0.66, 0.53), arm(0, 0, 1 / IMAGES), RULES)
    assert (finding.answer, finding.reason) == (Answer.YES, Reason.INTERVAL)
    assert finding.interval and finding.interval[0] > 0.3
    assert (finding.measure, finding.margin, finding.n) == (Measure.ERROR, 0.005, (3, 3))


def test_a_shortcut_that_harms_is_reversed():
    finding = compare(arm(0.02, 0.021, 0.022), arm(0.06, 0.061, 0.066), RULES)
    assert finding.answer is Answer.REVERSED


def test_small_differences_of_many_images_are_level_within_the_margin():
    first, second = (Arm([e, e + 1e-4, e - 1e-4], 50_000) for e in (0.020, 0.0205))
    finding = compare(first, second, RULES)
    assert finding.answer is Answer.NO
    assert finding.interval and max(map(abs, finding.interval)) <= finding.margin


def test_a_gap_that_may_lie_on_either_side_of_the_margin_cannot_be_told():
    finding = compare(arm(0.028, 0.030, 0.032), arm(0.020, 0.022, 0.021), RULES)
    assert finding.answer is Answer.CANNOT_TELL
    assert finding.effect and finding.effect > RULES.margin


@pytest.mark.parametrize("ratio", [3.3, 1 / 3.3])
def test_at_the_floor_the_losses_decide(ratio):
    losses = (0.0010, 0.0011, 0.0009, 0.0010)
    first = arm(*[2 / IMAGES] * 4, losses=tuple(ratio * loss for loss in losses))
    finding = compare(first, arm(*[0.0] * 4, losses=losses), RULES)
    assert finding.measure is Measure.LOSS
    assert finding.effect == pytest.approx(ratio)
    assert finding.answer is (Answer.YES if ratio > 1 else Answer.REVERSED)


def test_at_the_floor_without_losses_nothing_is_decided():
    finding = compare(arm(1 / IMAGES, 3 / IMAGES, 2 / IMAGES), arm(0, 0, 0), RULES)
    assert (finding.answer, finding.reason) == (Answer.CANNOT_TELL, Reason.FLOOR)


def test_at_chance_nothing_is_decided():
    finding = compare(arm(0.9, 0.902, 0.899), arm(0.893, 0.9, 0.901), RULES)
    assert (finding.answer, finding.reason) == (Answer.CANNOT_TELL, Reason.CHANCE)
    assert compare(arm(None, None, None), arm(0.9, 0.9, 0.9), RULES).reason is Reason.CHANCE


@pytest.mark.parametrize(
    ("chance", "errors", "failed"),
    [(0.9, (0.895, 0.88), 1), (0.5, (0.46, 0.44), 1), (0.1, (0.095, 0.05), 1), (0.05, (0.0,), 0)],
)
def test_chance_is_near_the_most_frequent_class_however_frequent_it_is(chance, errors, failed):
    """Of 95 % that are of one class nothing is right 1.1 times as often as naming it."""
    assert Rules(chance).failures(Arm(errors, 50_000)) == failed


def test_one_net_at_chance_is_a_gap():
    assert compare(arm(0.9, 0.9, 0.898), arm(0.02, 0.03, 0.02), RULES).answer is Answer.YES


def test_one_divergence_of_three_proves_nothing():
    finding = compare(arm(0.01, 0.02, None), arm(0.01, 0.02, 0.015), RULES)
    assert (finding.answer, finding.failed) == (Answer.CANNOT_TELL, (1, 0))


def test_a_net_that_always_diverges_is_worse():
    finding = compare(arm(None, None, None), arm(0.01, 0.02, 0.015), RULES)
    assert (finding.answer, finding.reason) == (Answer.YES, Reason.FAILURES)
    assert finding.p == pytest.approx(1 / 64)


def test_a_diverged_twin_does_not_hide_that_the_plain_net_is_at_chance():
    """Before: "No: 0 of 3 plain and 1 of 3 residual diverged"."""
    finding = compare(arm(0.9, 0.9, 0.9), arm(0.0, 0.001, None), RULES)
    assert (finding.answer, finding.failed) == (Answer.CANNOT_TELL, (3, 1))
    assert finding.effect == pytest.approx(0.899)
    more = compare(arm(*[0.9] * 6), arm(0, 0, 0, 0, 0, None), RULES)
    assert (more.answer, more.reason) == (Answer.YES, Reason.WORST_RANK)


def test_ranks_must_differ_by_more_than_the_margin():
    first, second = (
        arm(0.023, 0.0231, 0.0232, 0.0233, None),
        arm(0.02, 0.0201, 0.0202, 0.0203, 0.02),
    )
    assert compare(first, second, RULES).answer is Answer.CANNOT_TELL
    assert compare(first, second, Rules(chance=0.9, margin=0.001)).answer is Answer.YES


def test_two_seeds_prove_no_difference():
    finding = compare(arm(0.6, 0.6), arm(0.0, 0.0), RULES)
    assert (finding.answer, finding.reason) == (Answer.CANNOT_TELL, Reason.FEW_SEEDS)
    assert finding.interval is not None


def test_one_seed_has_an_effect_and_no_interval():
    finding = compare(arm(0.6), arm(0.1), RULES)
    assert (finding.reason, finding.interval) == (Reason.FEW_SEEDS, None)
    assert finding.effect == pytest.approx(0.5)
    ratio = compare_ratio([3.0], [1.5], Measure.LOSS, RULES)
    assert (ratio.reason, ratio.effect) == (Reason.FEW_SEEDS, pytest.approx(2))


def test_what_never_arrives_is_worse_than_any_number():
    finding = compare_ratio([None] * 5, [10, 11, 12, 10, 11], Measure.STEPS, RULES)
    assert (finding.answer, finding.effect) == (Answer.YES, None)


def test_without_any_finite_loss_it_is_not_for_few_seeds_that_nothing_is_told():
    losses = (math.inf,) * 5
    pair = arm(*[0.02] * 5, losses=losses), arm(*[0.03] * 5, losses=losses)
    finding = compare(*pair, replace(RULES, by_loss=True))
    assert (finding.answer, finding.reason) == (Answer.CANNOT_TELL, Reason.NO_NUMBERS)


def test_a_loss_of_zero_beside_a_lost_one_is_compared_in_silence():
    """Warnings are errors in tests."""
    finding = compare_ratio([0.0, 0.1, None, 0.1], [0.0, 0.0, 0.0, 0.0], Measure.LOSS, RULES)
    assert finding.reason is Reason.WORST_RANK


@pytest.mark.parametrize(("n", "exact"), [((8, 8), True), ((9, 9), False), ((10, 10), False)])
def test_ranks_of_many_seeds_are_drawn(n, exact):
    assert is_exact(*n) is exact


def test_ranks_without_ties_are_those_of_mann_and_whitney():
    first, second = [0.5, 0.9, 1.2, 0.8], [0.1, 0.7, 0.3, 0.6]
    exact = stats.mannwhitneyu(first, second, alternative="greater", method="exact")
    assert worst_rank_p(first, second) == pytest.approx(exact.pvalue)
    assert smallest_rank_p(3, 3) == pytest.approx(1 / 20)


def test_failed_runs_are_level_with_each_other():
    assert worst_rank_p([math.inf] * 4, [math.inf] * 4) == 1
    assert failures_p((0, 3), (0, 3)) == failures_p((3, 3), (3, 3)) == 1


def test_luck_alone_separates_few_seeds():
    assert luck(2, 2) == 1 / 16
    assert luck(3, 3) == 1 / 64
    assert luck_of_best(3, 3, 1, 1) == pytest.approx(1 / 64)
    assert luck_of_best(3, 3, 3, 1) > 0.04 > 0.01 > luck_of_best(3, 3, 3, 2)


def test_what_cannot_be_an_arm_is_refused():
    with pytest.raises(ValueError, match="fractions"):
        Arm([60.0, 50.0], IMAGES)
    with pytest.raises(ValueError, match="2 losses for 1 errors"):
        Arm([0.1], IMAGES, [1.0, 2.0])


def test_by_losses_too_runs_at_chance_rank_with_those_that_diverge():
    """Once "3 of 3 failed" stood beside the p of two failures."""
    plain = Arm([None, None, 0.9], IMAGES, [None, None, 2.3])
    residual = Arm([0.01, 0.011, 0.009], IMAGES, [0.05, 0.04, 0.06])
    finding = compare(plain, residual, Rules(chance=0.9, by_loss=True))
    assert (finding.answer, finding.failed) == (Answer.YES, (3, 0))
    assert finding.p == pytest.approx(1 / 64, rel=1e-3)


def test_by_losses_runs_at_chance_are_counted_where_an_interval_decides():
    plain = Arm([0.9, 0.9, 0.9], IMAGES, [2.3, 2.31, 2.29])
    residual = Arm([0.01, 0.011, 0.009], IMAGES, [0.05, 0.04, 0.06])
    finding = compare(plain, residual, Rules(chance=0.9, by_loss=True))
    assert (finding.answer, finding.failed) == (Answer.YES, (3, 0))
    assert finding.interval is not None
