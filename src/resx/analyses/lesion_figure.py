"""Bars by block, error against the number of deleted or swapped blocks, gradient by path length."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from resx.analyses.parts.drawing import shown_depths
from resx.plotting import LOOKS, RESIDUAL, shades


def lesion_figure(rows: pd.DataFrame, split: str) -> Figure:
    """A row of bars a depth (three at most), and below, three panels over the same depths."""
    shown = shown_depths(rows)
    heights = [1.7 * len(shown) + 0.6, 2.9]
    figure = Figure(figsize=(8.4, sum(heights)))
    top, below = figure.subfigures(2, 1, squeeze=False, height_ratios=heights)[:, 0]
    bars = top.subplots(len(shown), 1, squeeze=False)[:, 0]
    for axis, depth in zip(bars, shown):
        _draw_bars(axis, rows[rows["depth"] == depth])
        axis.set_ylabel(f"depth {depth}\n{split} error, %")
    bars[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False)
    bars[-1].set_xlabel("deleted block (grey: it changes the shape; dotted: no block deleted)")
    several, swaps, paths = below.subplots(1, 3)
    _draw_several(several, rows[rows["kind"] == "random"], shown)
    several.set(xlabel="deleted blocks", ylabel=f"{split} error, %", title="random blocks deleted")
    _draw_several(swaps, rows[rows["kind"] == "swap"], shown)
    swaps.set(xlabel="swapped pairs", title="random pairs swapped")
    _draw_paths(paths, rows[rows["kind"] == "path"], shown)
    handles, labels = several.get_legend_handles_labels()
    below.legend(handles, labels, loc="outside lower center", ncols=6, fontsize=8, frameon=False)
    return figure


def _draw_bars(axis: Axes, rows: pd.DataFrame) -> None:
    bars = rows[rows["kind"] == "delete"]
    for look, offset in zip(LOOKS, (-0.2, 0.2)):
        arm = bars[bars["residual"] == look.residual]
        heights = 100 * arm.groupby("number")["error"].mean()
        # Filled and hatched: a grey print tells the two apart.
        fill, hatch = (look.colour, "") if look.residual else ("white", "/////")
        places = heights.index.to_numpy() + offset
        axis.bar(
            places, heights, 0.4, color=fill, hatch=hatch, edgecolor=look.colour, label=look.name
        )
        whole = rows[(rows["kind"] == "whole") & (rows["residual"] == look.residual)]
        if len(whole):
            axis.axhline(100 * whole["error"].mean(), color=look.colour, linestyle=":")
    for number in bars[bars["keeps_shape"].eq(False)]["number"].unique():
        axis.axvspan(number - 0.5, number + 0.5, color="0.9", zorder=0)
    last = int(bars["number"].max())
    axis.set(ylim=(0, 100), xlim=(0.4, last + 0.6), xticks=range(1, last + 1, 1 + last // 15))
    axis.grid(False, axis="x")


def _draw_several(axis: Axes, rows: pd.DataFrame, depths: list[int]) -> None:
    for depth, shade in zip(depths, shades(len(depths))):
        for look in LOOKS:
            arm = rows[(rows["depth"] == depth) & (rows["residual"] == look.residual)]
            means = 100 * arm.groupby("number")["error"].mean()
            if len(means):
                label = f"{look.name} {depth}"
                axis.plot(
                    means.index, means, look.line, marker=look.marker, color=shade, label=label
                )
    numbers = sorted(rows["number"].unique())
    axis.set_ylim(0, 100)
    axis.set_xscale("log", base=2)
    axis.set_xticks(numbers, [str(k) for k in numbers])
    axis.minorticks_off()


def _draw_paths(axis: Axes, rows: pd.DataFrame, depths: list[int]) -> None:
    """Each relative to its peak: where along the lengths paths are, and where the gradient is.

    Plain networks have one path alone, and none is drawn.
    """
    if rows.empty:
        axis.set_axis_off()
        return
    for depth, shade in zip(depths, shades(len(depths))):
        means = rows[rows["depth"] == depth].groupby("number")[["paths", "carried"]].mean()
        if len(means):
            peaks = means / means.max()
            axis.plot(means.index, peaks["paths"], ":", color=shade, linewidth=1.2)
            axis.plot(
                means.index, peaks["carried"], RESIDUAL.line, marker=RESIDUAL.marker, color=shade
            )
    axis.set(xlabel="blocks on the path", ylabel="relative to the peak", ylim=(0, 1.05))
    axis.set_title("gradient (dotted: paths)")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
