"""Curves and points of plain and residual networks over their seeds."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from resx.plotting import LOOKS, Look

TWINS: dict[Any, Look] = {look.residual: look for look in LOOKS}


def shown_depths(rows: pd.DataFrame) -> list[int]:
    """The least, a middle and the greatest depth: more columns no phone shows."""
    depths = sorted(rows["depth"].unique())
    return sorted({depths[0], depths[len(depths) // 2], depths[-1]})


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
