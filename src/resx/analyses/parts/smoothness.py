"""What the roughness of slices allows to say of a loss surface, and where it sees nothing."""

from collections.abc import Sequence

import pandas as pd

from resx.analyses.analysis import ClaimVerdict
from resx.analyses.parts.facts import at_last_step
from resx.analyses.parts.twins import Comparison, deciding, judge

CEILING = 10.0  # Li 2018 draws contours up to this loss
FLAT = 1e-6  # roughness above 1 that is rounding
MOSTLY = 0.5  # share of a slice above the ceiling with which roughness sees little


def verdict(whole: pd.DataFrame, rough: Sequence[Comparison]) -> ClaimVerdict:
    """No difference is no finding where roughness cannot see any."""
    found, last = judge(rough), deciding(rough)
    unseen = last is not None and blind(whole, last.depth)
    return ClaimVerdict.CANNOT_TELL if unseen and found is ClaimVerdict.NOT_CONFIRMED else found


def blind(whole: pd.DataFrame, depth: int) -> bool:
    """Are all slices single valleys, or those of a kind mostly above the ceiling?

    A wavy loss that is above the ceiling, or between the points of a slice, has a roughness of 1.
    """
    cell = at_last_step(whole[whole["depth"] == depth])
    floor = bool((cell["roughness"] <= 1 + FLAT).all())
    return floor or bool((cell.groupby("residual")["clipped"].mean() > MOSTLY).any())


def why_blind(whole: pd.DataFrame, rough: Sequence[Comparison]) -> str:
    last = deciding(rough)
    if last is None or not blind(whole, last.depth):
        return ""
    return (
        f" At {last.depth} layers it tells little: all slices are single valleys, or most of their"
        f" points lie above the loss up to which it looks, {CEILING:g}."
    )
