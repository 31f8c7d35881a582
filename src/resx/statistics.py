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


NO_ESTIMATE = Estimate(math.nan, math.nan, math.nan, math.nan, 0)


def estimate(values: Sequence[float]) -> Estimate:
    """Mean, standard deviation (n - 1) and Student's interval of independent values."""
    sample = np.asarray([v for v in values if not math.isnan(v)], dtype=float)
    if sample.size == 0:
        return NO_ESTIMATE
    mean = float(sample.mean())
    if sample.size == 1:
        return Estimate(mean, math.nan, math.nan, math.nan, 1)
    std = float(sample.std(ddof=1))
    if std == 0:  # scipy's interval of scale 0 is NaN
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

    A row is one combination of the settings `rows`; `measure` names a column. Raises `RequestError`
    if a seed stands twice in a cell.
    """
    cells = []
    for key, group in runs.groupby(rows, dropna=False, sort=True):
        plain = by_seed(group[~group["residual"]], measure)
        residual = by_seed(group[group["residual"]], measure)
        values = key if isinstance(key, tuple) else (key,)
        gap = paired(plain, residual)
        cells.append(Cell(values, estimate(plain.tolist()), estimate(residual.tolist()), gap))
    return cells


def by_seed(runs: pd.DataFrame, measure: str) -> "pd.Series[float]":
    """A column of the runs of one network, indexed by seed.

    Raises `RequestError` if a seed stands twice: such runs would count as independent.
    """
    if runs["seed"].duplicated().any():
        twice = runs[runs["seed"].duplicated(keep=False)]
        where = " and ".join(map(str, twice.index[:2]))
        raise RequestError(f"seed {twice['seed'].iloc[0]} stands twice in one cell: {where}")
    return runs.set_index("seed")[measure].astype(float)
