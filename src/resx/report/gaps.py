"""Plain, residual and their gap for every row of a report, as numbers."""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from resx.inference import Arm, ErrorLocation, LogLocation, numbers
from resx.inference.intervals import Location, combined
from resx.report.labels import as_key
from resx.report.measures import CLEAN_LOSS, RUNNING_ERROR, TEST_ERROR, TEST_LOSS, Measure
from resx.report.yardstick import arm_of
from resx.statistics import NO_MEAN, Mean, mean_of


class Gap(NamedTuple):
    """Plain minus residual of errors, plain over residual of losses, of what is typical.

    `low` and `high` are the 95 % interval of docs/statistics.md, NaN where there is none: of one
    seed, or where runs diverged or have no finite loss.
    """

    effect: float
    low: float
    high: float

    @property
    def exists(self) -> bool:
        return not math.isnan(self.effect)

    @property
    def has_interval(self) -> bool:
        return not math.isnan(self.low)


NO_GAP = Gap(math.nan, math.nan, math.nan)


class Cell(NamedTuple):
    """One row of the gap table for one measure; `key` holds the row's settings."""

    key: tuple[object, ...]
    plain: Mean
    residual: Mean
    gap: Gap


def gap_table(runs: pd.DataFrame, rows: list[str], measure: Measure) -> list[Cell]:
    """A row is one combination of the settings `rows`.

    Raises `RequestError` if a seed stands twice in a cell.
    """
    cells = []
    for key, group in runs.groupby(rows, dropna=False, sort=True):
        twins = [_arm(group[group["residual"] == kind], measure) for kind in (False, True)]
        values = [_values(arm, measure) for arm in twins]
        means = [mean_of(of_arm.tolist()) for of_arm in values]
        cells.append(Cell(as_key(key), means[0], means[1], gap_of(twins[0], twins[1], measure)))
    return cells


def gap_of(plain: Arm, residual: Arm, measure: Measure) -> Gap:
    sides = [_location(arm, measure) for arm in (plain, residual)]
    if min(side.n for side in sides) == 0:
        return NO_GAP
    back: Any = (lambda x: x) if measure.is_error else math.exp
    effect = back(sides[0].typical - sides[1].typical)
    # An interval of the runs that are left would praise a net for losing its worst seeds.
    if any(side.n < max(2, arm.n) for side, arm in zip(sides, (plain, residual))):
        return Gap(effect, math.nan, math.nan)
    _, (low, high) = combined(sides, (1, -1))
    return Gap(effect, back(low), back(high))


def _arm(runs: pd.DataFrame, measure: Measure) -> Arm:
    tested = measure in (TEST_ERROR, TEST_LOSS)
    images = runs["test_images" if tested else "images"].max()
    if measure == RUNNING_ERROR:  # over the batches since the record before
        images = (runs["recipe.record_every"] * runs["recipe.batch_size"]).min()
    partner = TEST_LOSS if tested else CLEAN_LOSS
    error, loss = (measure, partner) if measure.is_error else (measure.of_error, measure)
    return arm_of(runs, error, loss, int(images) if images == images else 1)


def _values(arm: Arm, measure: Measure) -> "np.ndarray[Any, np.dtype[np.float64]]":
    if measure.is_error:
        return arm.finished_errors
    losses = numbers(arm.losses)
    return losses[~np.isnan(losses)]


def _location(arm: Arm, measure: Measure) -> Location:
    values = _values(arm, measure)
    return ErrorLocation(values, arm.images) if measure.is_error else LogLocation(values)


NO_CELL = (NO_MEAN, NO_MEAN, NO_GAP)
