"""The figures of a study: error against step and depth, the gap, and variants as rows."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from resx.plotting import LOOKS, Colour, Look, shades
from resx.reference.protocols import protocols
from resx.reference.published import published_curve
from resx.report.gaps import gap_table
from resx.report.labels import in_order, short
from resx.report.measures import CLEAN_ERROR, TEST_ERROR, has_ended
from resx.report.tables import matching
from resx.store.summary import Status

FEW = 8  # curves that a legend within the axes has room for
SPLITS = (("train", 0.8), ("test", 2.0))  # and the width of their lines
MEASURES = (
    (CLEAN_ERROR.column, "clean training error (%)"),
    (TEST_ERROR.column, "test error (%)"),
)
Key = tuple[object, ...]  # values of a row's settings


def curves_figure(
    runs: pd.DataFrame, curves: pd.DataFrame, rows: list[str], reference: str | None
) -> Figure:
    """Error against step: training thin, test bold, bands over seeds, as in He 2015, Fig. 6.

    The paper's own curves lie behind ours, grey, where `reference` says the protocol is the same.
    """
    colours = dict(zip(keys := keys_of(runs, rows), shades(len(keys))))
    crowded = len(keys) > FEW
    figure = Figure(figsize=(11, 1 + 0.17 * max(len(keys), 20)) if crowded else (9, 3.8))
    axes = figure.subplots(1, 2, sharey=True)
    for axis, look in zip(axes, LOOKS):
        for key, colour in colours.items():
            group = runs[matching(runs, rows, key) & (runs["residual"] == look.residual)]
            records = curves[curves["directory"].isin(group.index)]
            if reference and rows == ["depth"]:
                _draw_published(axis, reference, int(str(key[0])), look.residual)
            for split, width in SPLITS:
                label = f"{look.name}-{', '.join(map(str, key))}" if split == "test" else None
                _draw_band(axis, records[records["split"] == split], colour, width, label)
        axis.set(title=f"{look.name} (thin: training, bold: test)", xlabel="step")
        if axis.get_legend_handles_labels()[0] and not crowded:
            axis.legend(fontsize=8)
    if crowded:
        lines = [Line2D([], [], color=colour) for colour in colours.values()]
        names = [", ".join(map(str, key)) for key in keys]
        title = ", ".join(map(short, rows))
        figure.legend(lines, names, title=title, loc="outside right center", fontsize=7)
    axes[0].set_ylabel("error (%)")
    axes[0].set_ylim(bottom=0)
    return figure


def keys_of(runs: pd.DataFrame, rows: list[str]) -> list[Key]:
    """The rows of the study, in the order of its tables."""
    keys = {tuple(key) for key in runs[rows].itertuples(index=False)}
    return sorted(keys, key=lambda key: tuple(map(in_order, key)))


def _draw_band(
    axis: Axes, records: pd.DataFrame, colour: Colour, width: float, label: str | None
) -> None:
    """The mean over seeds, and from the lowest to the highest of them."""
    if records.empty:
        return
    by_step = 100 * records.groupby("step")["error"].agg(["mean", "min", "max"])
    axis.plot(by_step.index, by_step["mean"], color=colour, linewidth=width, label=label)
    if records["directory"].nunique() > 1:
        low, high = by_step["min"], by_step["max"]
        axis.fill_between(by_step.index, low, high, color=colour, alpha=0.15, linewidth=0)


def _draw_published(axis: Axes, reference: str, depth: int, residual: bool) -> None:
    for split, width in SPLITS:
        curve = published_curve(protocols()[reference].curves, depth, residual, split)
        if not curve.empty:
            axis.plot(curve["step"], 100 * curve["error"], color="0.7", linewidth=width, zorder=0)


def depth_figure(runs: pd.DataFrame) -> Figure:
    """Final error against depth: mean and every seed, training and test; and what diverged."""
    figure = Figure(figsize=(9, 3.4))
    for axis, (column, label) in zip(figure.subplots(1, 2), MEASURES):
        finished = runs[(runs["status"] == Status.FINISHED) & runs[column].notna()]
        for look in LOOKS:
            _mark_divergences(axis, look, runs[runs["residual"] == look.residual])
            seeds = finished[finished["residual"] == look.residual].sort_values("depth")
            means = 100 * seeds.groupby("depth")[column].mean()
            _draw_means(axis, look, means.index, means, look.line)
            axis.plot(seeds["depth"], 100 * seeds[column], ".", color=look.colour, alpha=0.4)
        axis.set(xlabel="depth", ylabel=label)
        axis.set_ylim(bottom=0)
        if axis.get_legend_handles_labels()[0]:
            axis.legend()
    return figure


def rows_figure(runs: pd.DataFrame, rows: list[str]) -> Figure:
    """One line a row of the study: final errors with and without the shortcut, every seed."""
    rows = [row for row in rows if runs[row].map(str).nunique() > 1]
    keys = keys_of(runs, rows)[::-1]  # from below, so that the first stands on top
    heights = {tuple(map(str, key)): height for height, key in enumerate(keys)}
    figure = Figure(figsize=(9, 1.2 + 0.28 * len(keys)))
    axes = figure.subplots(1, 2, sharey=True)
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
        axis.set(xlabel=label, yticks=range(len(keys)), yticklabels=names)
        axis.set_xlim(left=-1)
    if axes[1].get_legend_handles_labels()[0]:
        axes[1].legend()
    axes[0].set_ylabel(", ".join(map(short, rows)))
    return figure


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


def gap_figure(runs: pd.DataFrame) -> Figure:
    """The gap of clean training errors, plain minus residual, with its 95 % interval.

    Hollow and without one where runs diverged: it is the gap of those that are left.
    """
    figure = Figure(figsize=(4.6, 3.4))
    axis = figure.subplots()
    for cell in gap_table(runs[has_ended(runs)], ["depth"], CLEAN_ERROR):
        diverged = (runs["status"] == Status.DIVERGED) & (runs["depth"] == cell.key[0])
        depth, mean = float(str(cell.key[0])), 100 * cell.gap.effect
        ends = 100 * np.array([cell.gap.low, cell.gap.high])
        spread = np.abs(ends - mean).reshape(2, 1) if cell.gap.has_interval else None
        if cell.gap.exists:
            face = "none" if diverged.any() else "black"
            axis.errorbar([depth], [mean], spread, fmt="ko", capsize=4, markerfacecolor=face)
    axis.axhline(0, color="0.5", linewidth=0.8)
    axis.set(xlabel="depth", ylabel="gap of training error (points)")
    return figure
