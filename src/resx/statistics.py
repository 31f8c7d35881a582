"""Means and deviations over seeds, as tables show them; errors are fractions."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from resx.errors import RequestError


class Mean(NamedTuple):
    """A mean over `n` seeds and their standard deviation (n - 1); NaN where there is none."""

    mean: float
    std: float
    n: int


NO_MEAN = Mean(math.nan, math.nan, 0)


def mean_of(values: Sequence[float]) -> Mean:
    """Of the values that are numbers."""
    sample = np.asarray([v for v in values if not math.isnan(v)], dtype=float)
    if sample.size == 0:
        return NO_MEAN
    std = float(sample.std(ddof=1)) if sample.size > 1 else math.nan
    return Mean(float(sample.mean()), std, sample.size)


def refuse_twice(runs: pd.DataFrame) -> None:
    """Raises `RequestError` if a seed stands twice: such runs would count as independent."""
    if runs["seed"].duplicated().any():
        twice = runs[runs["seed"].duplicated(keep=False)]
        where = " and ".join(map(str, twice.index[:2]))
        raise RequestError(f"seed {twice['seed'].iloc[0]} stands twice in one cell: {where}")
