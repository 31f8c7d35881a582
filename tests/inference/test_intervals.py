"""Intervals stay inside what is possible, have an honest width and agree with scipy's."""

import math

import numpy as np
import pytest
from scipy import stats

from resx.inference.arms import numbers
from resx.inference.intervals import (
    ErrorLocation,
    LogLocation,
    combined,
    interval,
    middle,
    signed_mean,
    two_kinds,
    unseen,
)

IMAGES = 1437


def errors(*wrong: float) -> ErrorLocation:
    return ErrorLocation(np.array(wrong) / IMAGES, IMAGES)


def test_seeds_without_a_wrong_image_have_an_interval_of_the_resolution():
    low, high = interval(errors(0, 0, 0))
    exact = stats.binomtest(0, 3 * IMAGES).proportion_ci(0.95)
    assert low == 0
    assert high == pytest.approx(exact.high)


def test_one_wrong_image_in_each_seed_is_not_an_interval_of_no_width():
    low, high = interval(errors(1, 1, 1))
    assert low < 0.5 / IMAGES < 2 / IMAGES < high


def test_the_typical_error_of_equal_seeds_is_their_error():
    assert errors(0, 0).typical == 0
    assert errors(30, 30).typical == pytest.approx(30 / IMAGES)


@pytest.mark.parametrize("first", [(0, 0, 0), (1437, 1400, 3), (1437, 1437), (700, 2, 900, 1000)])
@pytest.mark.parametrize("second", [(0, 0, 1), (1437, 1437, 1437), (5, 1300)])
def test_a_difference_of_errors_stays_possible(first, second):
    _, (low, high) = combined([errors(*first), errors(*second)], (1, -1))
    assert -1 <= low <= high <= 1


def test_what_is_asked_first_decides_the_sign():
    sides = [errors(70, 60, 90), errors(20, 10, 12)]
    effect, (low, high) = combined(sides, (1, -1))
    turned, (turned_low, turned_high) = combined(sides[::-1], (1, -1))
    assert (turned, turned_low, turned_high) == pytest.approx((-effect, -high, -low))


def test_logarithms_of_equal_spread_have_the_interval_of_welch():
    first, second = np.exp([1.0, 1.2, 1.4]), np.exp([0.1, 0.3, 0.5])
    _, span = combined([LogLocation(first), LogLocation(second)], (1, -1))
    welch = stats.ttest_ind(np.log(first), np.log(second), equal_var=False)
    assert span == pytest.approx(tuple(welch.confidence_interval(0.95)))


def test_an_arm_that_scatters_alone_has_its_own_degrees_of_freedom():
    wide, narrow = LogLocation(np.exp([0.0, 1.0, 2.0])), LogLocation(np.exp([5.0, 5.0, 5.0]))
    _, (low, high) = combined([wide, narrow], (1, -1))
    alone = interval(wide)
    assert (low, high) == pytest.approx((alone[0] - 5, alone[1] - 5))


def test_steps_are_known_to_the_distance_of_two_records():
    low, high = interval(LogLocation(np.array([100.0, 100.0, 100.0]), resolution=10))
    assert math.exp(high) == pytest.approx(110)
    assert low < math.log(100)


def test_seeds_of_two_kinds_get_the_interval_of_order_statistics():
    x = np.array([-4.6, -4.5, -4.4, -4.7, -4.5, -4.4, 0.4, 0.5, 0.6, 0.3])
    assert two_kinds(x)
    exact = stats.quantile_test(x, q=0, p=0.5).confidence_interval(0.95)
    assert middle(x, 0.025) == pytest.approx((exact.low, exact.high))
    low, high = interval(errors(*(IMAGES / (1 + np.exp(-x)))))
    assert low < 0.012 and high > 0.57


def test_seeds_of_one_kind_are_not_taken_for_two():
    assert not two_kinds(np.array([-4.6, -4.0, -3.5, -4.2]))
    assert not two_kinds(np.array([0.0, 0.0, 0.0]))


def test_what_no_seed_has_shown_may_still_be_frequent():
    assert [round(unseen(n), 2) for n in (2, 3, 5, 10)] == [0.78, 0.63, 0.45, 0.26]


def test_none_and_infinity_are_runs_that_diverged():
    assert np.isnan(numbers([None, math.inf, math.nan])).all()


def test_a_signed_mean_has_students_interval():
    """Mean 3, std sqrt(2.5), n 5: 3 -+ 2.776 * 1.5811 / sqrt(5) (t table, 4 degrees, 97.5 %)."""
    found = signed_mean([1, 2, 3, 4, 5])
    half = 2.7764451 * math.sqrt(2.5) / math.sqrt(5)
    assert found.span == pytest.approx((3 - half, 3 + half))
    assert signed_mean([0.3]).span is None
