"""Bars by block, error against the number of deleted blocks, gradient by path length."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resx.plotting import LOOKS, RESIDUAL, shades


def lesion_figure(rows: pd.DataFrame) -> Figure:
    """A row of bars a depth (three at most), and below, two panels over all depths."""
    depths = sorted(rows["depth"].unique())
    shown = depths if len(depths) <= 3 else [depths[0], depths[len(depths) // 2], depths[-1]]
    figure = Figure(figsize=(7.5, 1.9 * len(shown) + 3.0))
    top, below = figure.subfigures(2, 1, height_ratios=[1.9 * len(shown), 3.0])
    for axis, depth in zip(top.subplots(len(shown), 1, squeeze=False)[:, 0], shown):
        _draw_bars(axis, rows[rows["depth"] == depth])
        axis.set_ylabel(f"depth {depth}\ntest error, %")
    top.axes[0].legend(fontsize=8, ncols=2)
    top.axes[-1].set_xlabel("deleted block (shaded: changes the shape; dotted: nothing deleted)")
    several, paths = below.subplots(1, 2)
    _draw_several(several, rows[rows["kind"] == "random"], shown)
    _draw_paths(paths, rows[rows["kind"] == "path"], shown)
    return figure


def _draw_bars(axis: Axes, rows: pd.DataFrame) -> None:
    bars = rows[rows["kind"] == "delete"]
    for look, offset in zip(LOOKS, (-0.2, 0.2)):
        arm = bars[bars["residual"] == look.residual]
        heights = 100 * arm.groupby("number")["error"].mean()
        hatch = "" if look.residual else "////"  # a grey print tells the two apart by it
        axis.bar(
            heights.index + offset,
            heights,
            0.4,
            color=look.colour if look.residual else "white",
            edgecolor=look.colour,
            hatch=hatch,
            label=look.name,
        )
        whole = rows[(rows["kind"] == "whole") & (rows["residual"] == look.residual)]
        if len(whole):
            axis.axhline(100 * whole["error"].mean(), color=look.colour, linestyle=":")
    changing = bars[bars["keeps_shape"].eq(False)]["number"].unique()
    for number in changing:
        axis.axvspan(number - 0.5, number + 0.5, color="0.9", zorder=0)
    last = int(bars["number"].max())
    axis.set(ylim=(0, 100), xlim=(0.4, last + 0.6))
    axis.set_xticks(range(1, last + 1, 1 if last < 15 else 2))
    axis.grid(False, axis="x")


def _draw_several(axis: Axes, rows: pd.DataFrame, depths: list[int]) -> None:
    for depth, shade in zip(depths, shades(len(depths))):
        for look in LOOKS:
            arm = rows[(rows["depth"] == depth) & (rows["residual"] == look.residual)]
            means = 100 * arm.groupby("number")["error"].mean()
            if len(means):
                style = f"{look.marker}{look.line}"
                axis.plot(means.index, means, style, color=shade, label=f"{look.name} {depth}")
    axis.set(xlabel="blocks deleted at random", ylabel="test error, %", ylim=(0, 100))
    axis.set_xscale("log", base=2)
    axis.set_xticks(
        sorted(rows["number"].unique()), [f"{k}" for k in sorted(rows["number"].unique())]
    )
    axis.legend(fontsize=7)


def _draw_paths(axis: Axes, rows: pd.DataFrame, depths: list[int]) -> None:
    """Thin: the share of all paths; bold: the share of the gradient that they carry."""
    for depth, shade in zip(depths, shades(len(depths))):
        means = rows[rows["depth"] == depth].groupby("number")[["paths", "carried"]].mean()
        if len(means):
            peaks = means / means.max()
            axis.plot(means.index, peaks["paths"], ":", color=shade, linewidth=1)
            axis.plot(means.index, peaks["carried"], RESIDUAL.line, color=shade, label=f"{depth}")
    axis.set(xlabel="blocks on the path", ylabel="relative to the largest", ylim=(0, None))
    axis.set_title("residual: gradient (dotted: paths)", fontsize=9)
    if len(rows):
        axis.legend(title="depth", fontsize=8)
