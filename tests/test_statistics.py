"""Means and deviations are those of the textbook."""

import math

import pandas as pd
import pytest

from resx.statistics import NO_MEAN, mean_of, refuse_twice


def test_mean_and_deviation_are_of_the_values_that_are_numbers():
    value = mean_of([1, 2, math.nan, 3, 4, 5])
    assert (value.mean, value.n) == (3, 5)
    assert value.std == pytest.approx(math.sqrt(2.5))


def test_one_value_has_no_deviation_and_none_has_no_mean():
    assert mean_of([0.3]).mean == 0.3
    assert math.isnan(mean_of([0.3]).std)
    assert mean_of([math.nan]) is NO_MEAN


def test_a_seed_that_stands_twice_is_refused():
    with pytest.raises(ValueError, match="seed 0 stands twice in one cell: a and b"):
        refuse_twice(pd.DataFrame({"seed": [0, 0, 1]}, index=["a", "b", "c"]))
