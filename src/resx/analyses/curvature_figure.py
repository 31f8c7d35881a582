"""The density of the Hessian's eigenvalues, and how their extremes and sum grow with depth."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from scipy.stats import norm

from resx.analyses.parts.drawing import shown_depths
from resx.plotting import LOOKS

WIDTH = 0.2  # of an eigenvalue's bump, in units in which a factor of e is 1 wide


def curvature_figure(rows: pd.DataFrame, whole: pd.DataFrame, numbers: dict[str, str]) -> Figure:
    """Above, densities of up to three depths; below, each of `numbers` against depth."""
    depths = sorted(whole["depth"].unique())
    shown = shown_depths(whole)
    figure = Figure(figsize=(8.4, 5.8))
    above, below = figure.subfigures(2, 1, squeeze=False)[:, 0]
    # One scale for all depths, so that what grows with depth is seen to grow.
    densities = above.subplots(1, len(shown), sharex=True, sharey=True, squeeze=False)[0]
    unit = max(float(whole["lowest"].abs().median()), 1e-6)
    ends = np.arcsinh(rows["value"] / unit)
    grid = np.linspace(ends.min() - 1, ends.max() + 1, 600)
    for axis, depth in zip(densities, shown):
        _draw_density(axis, rows[rows["depth"] == depth], grid, unit)
        axis.set(title=f"depth {depth}", xlabel="eigenvalue")
    densities[0].set_ylabel("density")
    densities[0].legend(fontsize=8, loc="upper right")
    for axis, (column, name) in zip(below.subplots(1, 3), numbers.items()):
        for look in LOOKS:
            arm = whole[(whole["residual"] == look.residual) & (whole[column] > 0)]
            axis.plot(arm["depth"], arm[column], look.marker, color=look.colour, alpha=0.4)
            middle = arm.groupby("depth")[column].median()
            axis.plot(middle.index, middle, look.line, color=look.colour, label=look.name)
        axis.set(title=name, xlabel="depth", yscale="log", xticks=depths)
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter(NullFormatter())
    return figure


def _draw_density(axis: Axes, rows: pd.DataFrame, grid: np.ndarray, unit: float) -> None:
    """Bumps on a scale that is linear up to `unit` and logarithmic beyond, the mean of all seeds.

    Each is as wide in print as the others: in the far tail single eigenvalues stay visible.
    """
    points = rows[rows["part"] == "density"]
    for look in LOOKS:
        arm = points[points["residual"] == look.residual]
        if len(arm):
            places = np.arcsinh(arm["value"].to_numpy() / unit)
            bumps = norm.pdf(grid[:, None], places, WIDTH)
            density = bumps @ arm["weight"].to_numpy() / arm["seed"].nunique()
            axis.plot(unit * np.sinh(grid), density, look.line, color=look.colour, label=look.name)
    largest = float(unit * np.sinh(grid[-1]))
    powers = np.arange(np.ceil(np.log10(unit)), np.ceil(np.log10(largest)))[::-2][::-1]
    smallest = float(unit * np.sinh(grid[0]))
    ticks = [-(10.0**p) for p in powers if -(10.0**p) > smallest] + [0, *(10.0**powers)]
    axis.set_xscale("asinh", linear_width=unit)
    axis.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axis.set(yscale="log", ylim=(1e-7, 3))
