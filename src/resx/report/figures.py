"""Figures of a study: one style, colours that the colour-blind and a grey print can tell apart."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from resx.reference.published import PROTOCOLS, published_curve
from resx.report.tables import in_order, matching, short
from resx.statistics import gap_table

STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "svg.fonttype": "none",
    "svg.hashsalt": "resx",  # the same runs give the same file
    "figure.constrained_layout.use": True,
}
FEW = 8  # curves that a legend within the axes has room for
SIDES = ((False, "plain", "s", "--"), (True, "residual", "o", "-"))


def shades(count: int) -> list[tuple[float, float, float, float]]:
    """From yellow-green to dark blue: lightness falls steadily, so a grey print keeps the order."""
    colours = matplotlib.colormaps["viridis"](np.linspace(0.85, 0.0, max(count, 1)))
    return [tuple(map(float, c)) for c in colours]  # type: ignore[misc]


def curves_figure(
    runs: pd.DataFrame, curves: pd.DataFrame, rows: list[str], reference: str | None
) -> Figure:
    """Error against step: training thin, test bold, bands over seeds, as in He 2015, Fig. 6.

    The paper's own curves lie behind ours, grey, where `reference` says the protocol is the same.
    """
    keys = keys_of(runs, rows)
    crowded = len(keys) > FEW
    figure = Figure(figsize=(11, 1 + 0.17 * max(len(keys), 20)) if crowded else (9, 3.8))
    axes = figure.subplots(1, 2, sharey=True)
    colours = dict(zip(keys, shades(len(keys))))
    for axis, (residual, name, _, _) in zip(axes, SIDES):
        for key in keys:
            mine = runs[matching(runs, rows, key) & (runs["residual"] == residual)]
            records = curves[curves["directory"].isin(mine.index)]
            label = f"{name}-{', '.join(map(str, key))}"
            if reference and rows == ["depth"]:
                _draw_published(axis, reference, int(str(key[0])), residual)
            _draw_band(axis, records[records.split == "train"], colours[key], 0.8, None)
            _draw_band(axis, records[records.split == "test"], colours[key], 2.0, label)
        axis.set(title=f"{name} (thin: training, bold: test)", xlabel="step")
        if axis.get_legend_handles_labels()[0] and not crowded:
            axis.legend(fontsize=8)
    if crowded:
        lines = [Line2D([], [], color=colours[key]) for key in keys]
        names = [", ".join(map(str, key)) for key in keys]
        title = ", ".join(map(short, rows))
        figure.legend(lines, names, title=title, loc="outside right center", fontsize=7)
    axes[0].set_ylabel("error (%)")
    axes[0].set_ylim(bottom=0)
    return figure


def keys_of(runs: pd.DataFrame, rows: list[str]) -> list[tuple[object, ...]]:
    """The rows of the study, in the order of its tables."""
    keys = {tuple(key) for key in runs[rows].itertuples(index=False)}
    return sorted(keys, key=lambda key: tuple(map(in_order, key)))


def _draw_band(
    axis: Axes,
    records: pd.DataFrame,
    colour: tuple[float, float, float, float],
    width: float,
    label: str | None,
) -> None:
    if records.empty:
        return
    by_step = 100 * records.groupby("step")["error"].agg(["mean", "min", "max"])
    axis.plot(by_step.index, by_step["mean"], color=colour, linewidth=width, label=label)
    if len(records["directory"].unique()) > 1:
        axis.fill_between(
            by_step.index, by_step["min"], by_step["max"], color=colour, alpha=0.15, linewidth=0
        )


def _draw_published(axis: Axes, reference: str, depth: int, residual: bool) -> None:
    figure = PROTOCOLS[reference].curves
    for split, width in (("train", 0.8), ("test", 2.0)):
        curve = published_curve(figure, depth, residual, split)
        if not curve.empty:
            axis.plot(curve["step"], 100 * curve["error"], color="0.7", linewidth=width, zorder=0)


def depth_figure(runs: pd.DataFrame) -> Figure:
    """Final error against depth: mean and every seed, training and test."""
    figure = Figure(figsize=(9, 3.4))
    axes = figure.subplots(1, 2)
    measures = (("train_clean_error", "clean training error (%)"), ("test_error", "test error (%)"))
    for axis, (measure, label) in zip(axes, measures):
        done = runs[(runs["status"] == "finished") & runs[measure].notna()]
        for (residual, name, marker, line), colour in zip(SIDES, ("#d55e00", "#0072b2")):
            side = done[done["residual"] == residual]
            if side.empty:
                continue
            means = 100 * side.groupby("depth")[measure].mean()
            axis.plot(means.index, means, line, marker=marker, color=colour, label=name)
            points = side.sort_values("depth")
            axis.plot(points["depth"], 100 * points[measure], ".", color=colour, alpha=0.4)
        axis.set(xlabel="depth", ylabel=label)
        axis.set_ylim(bottom=0)
        if axis.get_legend_handles_labels()[0]:
            axis.legend()
    return figure


def rows_figure(runs: pd.DataFrame, rows: list[str]) -> Figure:
    """One line a row of the study: final errors with and without the shortcut, every seed."""
    done = runs[runs["status"] == "finished"]
    told = [r for r in rows if runs[r].map(str).nunique() > 1]
    keys = keys_of(runs, told)[::-1]
    place = {", ".join(map(str, key)): height for height, key in enumerate(keys)}
    lost = [(runs[matching(runs, told, key)]["status"] == "diverged").sum() for key in keys]
    labels = [f"{n}  ({k} diverged)" if k else n for n, k in zip(place, lost)]
    figure = Figure(figsize=(9, 1.2 + 0.28 * len(keys)))
    axes = figure.subplots(1, 2, sharey=True)
    measures = (("train_clean_error", "clean training error (%)"), ("test_error", "test error (%)"))
    for axis, (measure, label) in zip(axes, measures):
        for (residual, name, marker, _), colour in zip(SIDES, ("#d55e00", "#0072b2")):
            side = done[done["residual"] == residual]
            if side.empty:
                continue
            names = [", ".join(map(str, key)) for key in side[told].itertuples(index=False)]
            heights = pd.Series([place[name] for name in names], side.index)
            axis.plot(100 * side[measure], heights, ".", color=colour, alpha=0.4)
            means = 100 * side[measure].groupby(heights).mean()
            axis.plot(means, means.index, marker, color=colour, label=name)
        axis.set(xlabel=label, yticks=range(len(keys)), yticklabels=labels)
        axis.set_xlim(left=-1)
    if axes[1].get_legend_handles_labels()[0]:
        axes[1].legend()
    axes[0].set_ylabel(", ".join(short(r) for r in told))
    return figure


def gap_figure(runs: pd.DataFrame) -> Figure:
    """The gap of clean training errors, plain minus residual, with its 95 % interval."""
    figure = Figure(figsize=(4.6, 3.4))
    axis = figure.subplots()
    done = runs[runs["status"] == "finished"]
    cells = [c for c in gap_table(done, ["depth"], "train_clean_error") if c.gap.n]
    for cell in cells:
        mean, spread = 100 * cell.gap.mean, None
        if cell.gap.has_interval:
            spread = [[mean - 100 * cell.gap.low], [100 * cell.gap.high - mean]]
        axis.errorbar([float(str(cell.key[0]))], [mean], yerr=spread, fmt="ko", capsize=4)
    axis.axhline(0, color="0.5", linewidth=0.8)
    axis.set(xlabel="depth", ylabel="gap of training error (points)")
    return figure


def draw(name: str, directory: Path, make: Callable[[], Figure]) -> Path:
    """Write a figure as PNG, PDF and SVG; returns the SVG's path."""
    with matplotlib.rc_context(STYLE):
        figure = make()
        undated: dict[str, dict[str, Any]] = {
            "png": {},
            "pdf": {"CreationDate": None},
            "svg": {"Date": None},
        }
        for suffix, metadata in undated.items():
            figure.savefig(directory / f"{name}.{suffix}", dpi=150, metadata=metadata)
    return directory / f"{name}.svg"
