"""Final errors as figures: against depth, their gap, and variants as rows."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from resx.plotting import LOOKS, Look, depth_axis, legend_outside, panels
from resx.report.curves import Key, keys_of
from resx.report.gaps import gap_table
from resx.report.labels import short
from resx.report.measures import CLEAN_ERROR, TEST_ERROR, has_ended
from resx.report.tables import matching
from resx.store.summary import Status

MEASURES = (
    (CLEAN_ERROR.column, "clean training error (%)"),
    (TEST_ERROR.column, "test error (%)"),
)


def depth_figure(runs: pd.DataFrame, narrow: bool = False) -> Figure:
    """Final error against depth: mean and every seed, training and test; and what diverged."""
    figure, axes = panels(2, 3.4, narrow)
    for axis, (column, label) in zip(axes, MEASURES):
        finished = runs[(runs["status"] == Status.FINISHED) & runs[column].notna()]
        for look in LOOKS:
            _mark_divergences(axis, look, runs[runs["residual"] == look.residual])
            seeds = finished[finished["residual"] == look.residual].sort_values("depth")
            means = 100 * seeds.groupby("depth")[column].mean()
            _draw_means(axis, look, means.index, means, look.line)
            axis.plot(seeds["depth"], 100 * seeds[column], ".", color=look.colour, alpha=0.4)
        depth_axis(axis, runs["depth"])
        axis.set(title=label, ylabel="error (%)")
        axis.label_outer()
    axes[0].set_ylim(bottom=0)
    legend_outside(figure, narrow, _handles(axes))
    return figure


def rows_figure(runs: pd.DataFrame, rows: list[str], narrow: bool = False) -> Figure:
    """One line a row of the study: final errors with and without the shortcut, every seed."""
    rows = [row for row in rows if runs[row].map(str).nunique() > 1]
    keys = keys_of(runs, rows)[::-1]  # from below, so that the first stands on top
    heights = {tuple(map(str, key)): height for height, key in enumerate(keys)}
    figure, axes = panels(2, (1.5 if narrow else 1.2) + 0.28 * len(keys), narrow)
    for axis, (column, label) in zip(axes, MEASURES):
        finished = runs[runs["status"] == Status.FINISHED]
        for look in LOOKS:
            seeds = finished[finished["residual"] == look.residual]
            places = [heights[tuple(map(str, k))] for k in seeds[rows].itertuples(index=False)]
            place = pd.Series(places, seeds.index, dtype=float)
            axis.plot(100 * seeds[column], place, ".", color=look.colour, alpha=0.4)
            means = 100 * seeds[column].groupby(place).mean()
            _draw_means(axis, look, means, means.index, "none")
        names = [_name_with_divergences(runs, rows, key) for key in keys]
        axis.set(title=label, xlabel="error (%)", yticks=range(len(keys)), yticklabels=names)
        axis.set_xlim(left=-1)
    legend_outside(figure, narrow, _handles(axes))
    axes[0].set_ylabel(", ".join(map(short, rows)))
    return figure


def _handles(axes: list[Axes]) -> list[Artist]:
    """Plain and residual means as far as they are drawn, and the dots of single runs."""
    drawn = dict(zip(*axes[0].get_legend_handles_labels()[::-1]))
    handles: list[Artist] = list(drawn.values())
    dot: dict[str, Any] = {"color": "0.3", "linestyle": "none", "marker": ".", "alpha": 0.6}
    return [*handles, Line2D([], [], **dot, label="single runs")] if handles else []


def _draw_means(axis: Axes, look: Look, x: Any, y: Any, line: str) -> None:
    """Nothing, and no entry in the legend, for a kind of network without runs."""
    if len(x):
        marker, colour = look.marker, look.colour
        axis.plot(x, y, linestyle=line, marker=marker, color=colour, label=look.name)


def _name_with_divergences(runs: pd.DataFrame, rows: list[str], key: Key) -> str:
    name = ", ".join(map(str, key))
    diverged = (runs[matching(runs, rows, key)]["status"] == Status.DIVERGED).sum()
    return f"{name}  ({diverged} diverged)" if diverged else name


def _mark_divergences(axis: Axes, look: Look, runs: pd.DataFrame) -> None:
    """`2 diverged` in the network's colour at the upper edge: the mean is of the other seeds."""
    diverged = runs[runs["status"] == Status.DIVERGED]
    height = 0.97 if look.residual else 0.91
    for depth, count in diverged.groupby("depth").size().items():
        place: Any = {"transform": axis.get_xaxis_transform(), "ha": "center", "va": "top"}
        text = f"{count} diverged"
        axis.text(float(str(depth)), height, text, color=look.colour, fontsize=7, **place)


def gap_figure(runs: pd.DataFrame, narrow: bool = False) -> Figure:
    """The gap of clean training errors, plain minus residual, with its 95 % interval.

    Hollow and without one where runs diverged: it is the gap of those that are left.
    """
    figure, (axis,) = panels(1, 3.4, narrow)
    for cell in gap_table(runs[has_ended(runs)], ["depth"], CLEAN_ERROR):
        diverged = (runs["status"] == Status.DIVERGED) & (runs["depth"] == cell.key[0])
        depth, mean = float(str(cell.key[0])), 100 * cell.gap.effect
        ends = 100 * np.array([cell.gap.low, cell.gap.high])
        spread = np.abs(ends - mean).reshape(2, 1) if cell.gap.has_interval else None
        if cell.gap.exists:
            face = "none" if diverged.any() else "black"
            axis.errorbar([depth], [mean], spread, fmt="ko", capsize=4, markerfacecolor=face)
    axis.axhline(0, color="0.5", linewidth=0.8)
    depth_axis(axis, runs["depth"])
    axis.set(title="plain minus residual, clean training error", ylabel="gap (points)")
    return figure
