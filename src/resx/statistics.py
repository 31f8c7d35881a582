"""Means, paired gaps and their 95 % intervals; errors are fractions."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from resx.errors import RequestError

CONFIDENCE = 0.95
MOST_SEEDS = 1000


class Estimate(NamedTuple):
    """A mean over `n` seeds with its t interval; low and high are NaN where n is 1."""

    mean: float
    std: float
    low: float
    high: float
    n: int

    @property
    def has_interval(self) -> bool:
        return self.n > 1

    @property
    def excludes_zero(self) -> bool:
        return self.has_interval and (self.low > 0 or self.high < 0)


NONE = Estimate(math.nan, math.nan, math.nan, math.nan, 0)


def estimate(values: Sequence[float]) -> Estimate:
    """Mean, standard deviation (n - 1) and Student's interval of independent values."""
    sample = np.asarray([v for v in values if not math.isnan(v)], dtype=float)
    if sample.size == 0:
        return NONE
    mean = float(sample.mean())
    if sample.size == 1:
        return Estimate(mean, math.nan, math.nan, math.nan, 1)
    std = float(sample.std(ddof=1))
    if std == 0:
        return Estimate(mean, 0.0, mean, mean, sample.size)
    low, high = stats.t.interval(
        CONFIDENCE, sample.size - 1, loc=mean, scale=std / math.sqrt(sample.size)
    )
    return Estimate(mean, std, float(low), float(high), sample.size)


def paired(first: "pd.Series[float]", second: "pd.Series[float]") -> Estimate:
    """The difference first - second over the seeds (the index) that both have."""
    seeds = first.dropna().index.intersection(second.dropna().index)
    return estimate([float(first[s] - second[s]) for s in seeds])


def seeds_needed(difference: Estimate, margin: float | None = None) -> int | None:
    """How many more seeds would make the interval exclude zero, were mean and spread to stay.

    With a `margin`, an interval below it settles the matter too. None if more than a thousand are
    needed, or if one seed says nothing about the spread.
    """
    if difference.n < 2:
        return None
    for n in range(difference.n + 1, MOST_SEEDS):
        quantile = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)
        half = quantile * difference.std / math.sqrt(n)
        if half < abs(difference.mean) or (margin is not None and difference.mean + half <= margin):
            return n - difference.n
    return None


class Cell(NamedTuple):
    """One row of the gap table for one measure; `key` holds the row's settings."""

    key: tuple[object, ...]
    plain: Estimate
    residual: Estimate
    gap: Estimate


def gap_table(runs: pd.DataFrame, rows: list[str], measure: str) -> list[Cell]:
    """Plain, residual and their gap (plain minus residual, paired by seed) for each row.

    A row is one combination of the settings `rows`. Raises `RequestError` if a seed stands
    twice in a cell.
    """
    cells = []
    for key, group in runs.groupby(rows, dropna=False, sort=True):
        sides = {r: _by_seed(group[group["residual"] == r], measure) for r in (False, True)}
        gap = paired(sides[False], sides[True])
        values = key if isinstance(key, tuple) else (key,)
        cells.append(Cell(values, _of(sides[False]), _of(sides[True]), gap))
    return cells


def side(runs: pd.DataFrame, depth: int, residual: bool, measure: str) -> "pd.Series[float]":
    """The measure of one network by seed."""
    return _by_seed(runs[(runs["depth"] == depth) & (runs["residual"] == residual)], measure)


def _by_seed(group: pd.DataFrame, measure: str) -> "pd.Series[float]":
    if group["seed"].duplicated().any():
        twice = group[group["seed"].duplicated(keep=False)]
        where = " and ".join(map(str, twice.index[:2]))
        raise RequestError(f"seed {twice['seed'].iloc[0]} stands twice in one cell: {where}")
    return group.set_index("seed")[measure].astype(float)


def _of(values: "pd.Series[float]") -> Estimate:
    return estimate(values.tolist())
