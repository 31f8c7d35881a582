"""Plain beside residual: what is known of a network, what seeds say, how twins are drawn."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from scipy import stats
from torch import nn

from resx.analyses.inputs import batch_norms
from resx.experiment import Experiment
from resx.inference import Answer, Finding, signed_mean
from resx.inference.answer import decide
from resx.plotting import LOOKS, Look

LEAST_SEEDS = 3  # with fewer, luck alone makes differences too often (docs/statistics.md)
Span = tuple[float, float]


def facts(experiment: Experiment) -> dict[str, Any]:
    """The first columns of every row: which network, with which normalisation, at which step."""
    config = experiment.config
    return {
        "family": config.model.get("name", ""),
        "norm": norm_of(experiment.network),
        "depth": config.depth,
        "residual": config.residual,
        "seed": config.seed,
        "step": experiment.step,
    }


def norm_of(network: nn.Module) -> str:
    """`batch`, `layer`, or `none`, whatever its family calls the option."""
    if batch_norms(network):
        return "batch"
    layer = any(isinstance(module, nn.LayerNorm) for module in network.modules())
    return "layer" if layer else "none"


def name_of(residual: bool) -> str:
    return "residual" if residual else "plain"


def deepest(rows: pd.DataFrame) -> int | None:
    """The greatest depth that both plain and residual networks have: where twins are judged."""
    plain, residual = (set(rows.loc[rows["residual"] == kind, "depth"]) for kind in (False, True))
    return max(plain & residual, default=None)


def shown_depths(rows: pd.DataFrame) -> list[int]:
    """The least, a middle and the greatest depth: more columns no phone shows."""
    depths = sorted(rows["depth"].unique())
    return sorted({depths[0], depths[len(depths) // 2], depths[-1]})


def student(logs: np.ndarray) -> Span | None:
    """Student's 95 % interval for the mean of one number a seed; None for one seed."""
    return signed_mean(logs.tolist()).span


def welch(first: np.ndarray, second: np.ndarray) -> Span | None:
    """Welch's 95 % interval for the difference of two means; None for one seed."""
    if min(len(first), len(second)) < 2:
        return None
    if np.ptp(first) == 0 and np.ptp(second) == 0:
        difference = float(np.mean(first) - np.mean(second))
        return difference, difference
    result = stats.ttest_ind(first, second, equal_var=False).confidence_interval()
    return float(result.low), float(result.high)


def judged(span: Span | None, margin: float, seeds: int) -> Answer:
    """Above the margin, below it, level within it; of few seeds, nothing but level is said."""
    answer = Answer.CANNOT_TELL if span is None else decide(span, (-margin, margin))
    told = seeds >= LEAST_SEEDS or answer is Answer.NO
    return answer if told else Answer.CANNOT_TELL


def said(comparison: Finding | None) -> str:
    """A ratio and its interval, as a text prints it."""
    if comparison is None or comparison.effect is None:
        return "cannot be told"
    span = comparison.interval
    return f"{comparison.effect:.3g}" + (f" [{span[0]:.3g}, {span[1]:.3g}]" if span else "")


TWINS: dict[Any, Look] = {look.residual: look for look in LOOKS}


def draw_twins(
    axes: Axes,
    rows: pd.DataFrame,
    x: str,
    y: str,
    looks: Mapping[Any, Look] = TWINS,
    kind: str = "residual",
) -> None:
    """The mean over seeds against `x`, geometric on a log axis; a band holds all seeds.

    `looks` says how each value of the column `kind` is drawn.
    """
    for value, look in looks.items():
        curve = rows[rows[kind] == value].groupby(x)[y]
        if not len(curve):
            continue
        low, high = curve.min(), curve.max()
        log = axes.get_yscale() == "log"
        middle = curve.apply(lambda v: np.exp(np.log(v).mean())) if log else curve.mean()
        dots = max(1, len(middle) // 10)  # a marker at every point would hide the line
        axes.plot(
            middle.index,
            middle,
            look.line,
            color=look.colour,
            marker=look.marker,
            markersize=4,
            markevery=dots,
            label=look.name,
        )
        if pd.api.types.is_integer_dtype(middle.index):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.fill_between(middle.index, low, high, color=look.colour, alpha=0.2, linewidth=0)


def draw_points(axes: Axes, rows: pd.DataFrame, x: str, y: str) -> None:
    """A marker a row, filled for plain networks only."""
    for look in LOOKS:
        points = rows[rows["residual"] == look.residual]
        face = "none" if look.residual else look.colour
        axes.plot(
            points[x],
            points[y],
            look.marker,
            color=look.colour,
            markerfacecolor=face,
            markersize=5,
            label=look.name,
        )
