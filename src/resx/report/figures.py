"""Figures of a study: one style, colours that the colour-blind and a grey print can tell apart."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resx.reference.published import PROTOCOLS, published_curve
from resx.report.statistics import gap_table
from resx.report.tables import matching, short

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
THRESHOLDS = (0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01)
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
    figure = Figure(figsize=(9, 3.8))
    axes = figure.subplots(1, 2, sharey=True)
    keys = sorted({tuple(k) for k in runs[rows].itertuples(index=False)}, key=str)
    keys = sorted(keys, key=lambda k: tuple((isinstance(v, str), v) for v in map(_sortable, k)))
    colours = dict(zip(keys, shades(len(keys))))
    for axis, (residual, name, _, _) in zip(axes, SIDES):
        for key in keys:
            mine = runs[matching(runs, rows, key) & (runs["residual"] == residual)]
            records = curves[curves["directory"].isin(mine.index)]
            label = f"{name}-{', '.join(map(str, key))}"
            if reference and rows == ["depth"]:
                _draw_published(axis, reference, key[0], residual)
            _draw_band(axis, records[records.split == "train"], colours[key], 0.8, None)
            _draw_band(axis, records[records.split == "test"], colours[key], 2.0, label)
        axis.set(title=f"{name} (thin: training, bold: test)", xlabel="step")
        if axis.get_legend_handles_labels()[0]:
            axis.legend(fontsize=8)
    axes[0].set_ylabel("error (%)")
    axes[0].set_ylim(bottom=0)
    return figure


def _sortable(value: object) -> float | str:
    return value if isinstance(value, str) else float(str(value)) if _number(value) else str(value)


def _number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


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
    labels = done[told].map(str).agg(", ".join, axis=1) if len(done) else pd.Series(dtype=str)
    order = list(dict.fromkeys(labels))[::-1]
    figure = Figure(figsize=(9, 1.2 + 0.32 * len(order)))
    axes = figure.subplots(1, 2, sharey=True)
    measures = (("train_clean_error", "clean training error (%)"), ("test_error", "test error (%)"))
    for axis, (measure, label) in zip(axes, measures):
        for (residual, name, marker, _), colour in zip(SIDES, ("#d55e00", "#0072b2")):
            side = done[done["residual"] == residual]
            if side.empty:
                continue
            heights = labels[side.index].map(order.index)
            axis.plot(100 * side[measure], heights, ".", color=colour, alpha=0.4)
            means = 100 * side[measure].groupby(heights).mean()
            axis.plot(means, means.index, marker, color=colour, label=name)
        axis.set(xlabel=label, yticks=range(len(order)), yticklabels=order)
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


def convergence(runs: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """Steps until the running training error first is at or below each threshold (notes, 5.2).

    Columns depth, residual, seed, threshold (a fraction), step; NaN where it never is.
    """
    rows = []
    train = curves[curves.split == "train"]
    for directory, run in runs.iterrows():
        mine = train[train["directory"] == directory]
        for threshold in THRESHOLDS:
            reached = mine[mine["error"] <= threshold]["step"]
            step = float(reached.min()) if len(reached) else float("nan")
            rows.append((run["depth"], run["residual"], run["seed"], threshold, step))
    return pd.DataFrame(rows, columns=["depth", "residual", "seed", "threshold", "step"])


def convergence_figure(table: pd.DataFrame) -> Figure:
    """Steps to reach a training error, against depth; a net that never gets there is not drawn."""
    figure = Figure(figsize=(9, 3.4))
    axes = figure.subplots(1, 2, sharey=True)
    reached = table.dropna()
    wanted = [t for t in THRESHOLDS if t in set(reached["threshold"])]
    for axis, (residual, name, marker, line) in zip(axes, SIDES):
        for threshold, colour in zip(wanted, shades(len(wanted))):
            side = reached[(reached.residual == residual) & (reached.threshold == threshold)]
            if side.empty:
                continue
            means = side.groupby("depth")["step"].mean()
            axis.plot(
                means.index, means, line, marker=marker, color=colour, label=f"{threshold:.0%}"
            )
        axis.set(title=name, xlabel="depth")
        if axis.get_legend_handles_labels()[0]:
            axis.legend(title="training error", fontsize=8)
    axes[0].set_ylabel("steps")
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
