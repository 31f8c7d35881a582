"""The bands of public reproductions come out of the csv by the stated rule."""

import pandas as pd
import pytest

from resx.reference.reproductions import ADMITTED, OFF_RECIPE, _usable, band


# As they were read off by hand, in percent, over the public reproductions after the full recipe.
@pytest.mark.parametrize(
    ("depth", "residual", "low", "high"),
    [
        (20, False, 9.3, 9.8),
        (32, False, 9.9, 10.4),
        (44, False, 11.3, 11.7),
        (56, False, 11.9, 13.3),
        (20, True, 8.0, 9.2),
        (32, True, 7.4, 8.7),
        (44, True, 6.9, 8.1),
        (56, True, 6.9, 7.5),
        (110, True, 5.9, 7.0),
    ],
)
def test_bands_are_those_of_the_public_reproductions(depth, residual, low, high):
    found = band(depth, residual)
    assert (round(100 * found.low, 1), round(100 * found.high, 1)) == (low, high)


def test_one_source_is_no_band():
    assert band(110, False) is None
    assert band(1202, True) is None


def test_sources_that_depart_are_admitted_by_name():
    """More epochs, other arithmetic or a warm-up; the learning rate's change is not admitted."""
    nets = [(depth, kind) for kind in (False, True) for depth in (20, 32, 44, 56, 110)]
    rows = pd.concat([_usable(*net) for net in nets])
    departing = rows.protocol.str.contains("200 ep|AMP|warm-up|clipping|biases")
    assert set(rows.table_id[departing]) == set(ADMITTED)
    assert not {table for table, _ in OFF_RECIPE} & set(ADMITTED)
    assert set(band(56, True).departing) == {"REP-GCR", "REP-WOOYEOL"}
