"""Means, intervals and gaps are those of the textbook."""

import math

import pandas as pd
import pytest

from resx.statistics import Estimate, estimate, gap_table, paired, seeds_needed


def test_the_interval_is_students():
    """Mean 3, std sqrt(2.5), n 5: 3 -+ 2.776 * 1.5811 / sqrt(5) (t table, 4 degrees, 97.5 %)."""
    value = estimate([1, 2, 3, 4, 5])
    half = 2.7764451 * math.sqrt(2.5) / math.sqrt(5)
    assert (value.mean, value.n) == (3, 5)
    assert value.std == pytest.approx(math.sqrt(2.5))
    assert (value.low, value.high) == pytest.approx((3 - half, 3 + half))


def test_one_seed_has_no_interval():
    value = estimate([0.3])
    assert value.mean == 0.3
    assert not value.has_interval
    assert not value.excludes_zero


def test_equal_values_have_an_interval_of_no_width():
    value = estimate([0.25, 0.25, 0.25])
    assert (value.low, value.high, value.std) == (0.25, 0.25, 0.0)


def test_gaps_are_paired_by_seed():
    """Seeds differ by far more than the twins do: only pairing shows the gap."""
    plain = pd.Series({0: 0.10, 1: 0.50, 2: 0.91})
    residual = pd.Series({2: 0.80, 0: 0.00, 1: 0.41, 7: 0.99})
    gap = paired(plain, residual)
    assert gap.n == 3
    assert gap.mean == pytest.approx(0.1)
    assert gap.excludes_zero
    assert not estimate([0.10, 0.50, 0.91]).excludes_zero


def test_seeds_needed_makes_the_interval_exclude_zero():
    """With mean 1 and std 2: t * 2 / sqrt(n) < 1 first holds at n = 18 (t = 2.110)."""
    difference = Estimate(1.0, 2.0, -4.0, 6.0, 3)
    assert seeds_needed(difference) == 18 - 3
    assert seeds_needed(Estimate(0.0, 2.0, -1, 1, 3)) is None
    assert seeds_needed(Estimate(1e-6, 2.0, -1, 1, 3)) is None


def test_a_seed_that_stands_twice_in_a_cell_is_refused():
    runs = pd.DataFrame({"depth": [20, 20], "residual": [True, True], "seed": [0, 0], "x": [1, 2]})
    with pytest.raises(ValueError, match="seed 0 stands twice"):
        gap_table(runs, ["depth"], "x")


def test_near_zero_few_seeds_are_missing_to_say_no():
    """Rises of 0.6, -0.5, 0.1 and 0.0 points: to exclude zero would take hundreds of seeds."""
    rise = estimate([0.006, -0.005, 0.001, 0.0])
    assert seeds_needed(rise) > 100
    assert seeds_needed(rise, margin=0.005) < 10


def test_a_row_of_the_gap_table_is_a_combination_of_settings():
    runs = pd.DataFrame(
        {
            "depth": [20, 20, 56, 56, 56],
            "residual": [False, True, False, True, True],
            "seed": [0, 0, 0, 0, 1],
            "x": [0.5, 0.25, 0.75, 0.25, 0.125],
        }
    )
    shallow, deep = gap_table(runs, ["depth"], "x")
    assert (shallow.key, shallow.gap.mean) == ((20,), 0.25)
    assert (deep.residual.n, deep.gap.n, deep.gap.mean) == (2, 1, 0.5)
