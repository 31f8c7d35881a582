"""Contours, surfaces and 1-D slices, plain beside residual on one scale, as in Li 2018."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d.axes3d import Axes3D

from resx.plotting import LOOKS, Look, shades

LINES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]
LOWEST = 1e-3  # losses below this look alike: on a log scale nothing else would be seen
COLOURS = "cividis"  # lightness rises steadily: right in grey, and for the colour-blind


def landscape_figure(rows: pd.DataFrame, ceiling: float) -> Figure:
    """The first seed of the deepest nets in two dimensions, and all of them in one."""
    surfaces = rows[rows["kind"] == "surface"]
    figure = Figure(figsize=(7.2, 8.6))
    if surfaces.empty:
        figure.set_size_inches(7.2, 3.0)
        _draw_lines(figure.subplots(1, 2, sharey=True), rows, ceiling)
        return figure
    deepest = surfaces[surfaces["depth"] == surfaces["depth"].max()]
    low = max(10 ** np.floor(np.log10(max(deepest["loss"].min(), LOWEST))), LOWEST)
    low = min(low, ceiling / 100)
    norm = LogNorm(low, ceiling)
    grid = figure.add_gridspec(3, 2, height_ratios=[1.2, 1.2, 0.9])
    flats = []
    for column, look in enumerate(LOOKS):
        net = deepest[deepest["residual"] == look.residual]
        if net.empty:
            continue
        x, y, loss = _square(net[net["seed"] == net["seed"].min()])
        shown = np.clip(np.nan_to_num(loss, nan=ceiling, posinf=ceiling), low, ceiling)
        flat = figure.add_subplot(grid[0, column])
        filled = _draw_contours(flat, x, y, shown, norm)
        flat.plot(0, 0, look.marker, color=look.colour, markeredgecolor="white")
        flat.set_title(_title(rows, look, int(net["depth"].max())), fontsize=9)
        flats.append(flat)
        deep = figure.add_subplot(grid[1, column], projection="3d")
        assert isinstance(deep, Axes3D)
        _draw_surface(deep, x, y, shown, norm)
    ticks = [t for t in LINES if low <= t <= ceiling]
    bar = figure.colorbar(
        filled, ax=flats, label="loss", ticks=ticks, location="bottom", shrink=0.8, aspect=40
    )
    bar.ax.set_xticklabels([f"{t:g}" for t in ticks])
    bar.ax.minorticks_off()
    lines_of_nets = figure.add_subplot(grid[2, 0])
    second = figure.add_subplot(grid[2, 1], sharey=lines_of_nets)
    _draw_lines(np.array([lines_of_nets, second]), rows, ceiling)
    return figure


def _title(rows: pd.DataFrame, look: Look, depth: int) -> str:
    """With the greatest convexity ratio on the grid, where it was computed."""
    title = f"{look.name}, depth {depth}"
    grid = rows[(rows["kind"] == "eigenvalues") & (rows["depth"] == depth)]
    grid = grid[grid["residual"] == look.residual]
    if grid.empty:
        return title
    return f"{title}\n|lowest| / top eigenvalue at least {grid['not_convex'].max():.2g}"


def _draw_contours(
    axis: Axes, x: np.ndarray, y: np.ndarray, shown: np.ndarray, norm: LogNorm
) -> ContourSet:
    assert norm.vmin is not None and norm.vmax is not None
    levels = np.geomspace(norm.vmin, norm.vmax, 25)
    filled = axis.contourf(x, y, shown, levels, cmap=COLOURS, norm=norm)
    lines = [level for level in LINES if norm.vmin < level < norm.vmax]
    drawn = axis.contour(x, y, shown, lines, colors="black", linewidths=0.6)
    axis.clabel(drawn, lines[::2][-3:], fmt="%g", fontsize=7)
    axis.set(aspect="equal", xticks=[x[0], 0, x[-1]], yticks=[y[0], 0, y[-1]])
    axis.grid(False)
    return filled


def _square(net: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    table = net.pivot(index="y", columns="x", values="loss")
    return table.columns.to_numpy(), table.index.to_numpy(), table.to_numpy()


def _draw_surface(
    axis: Axes3D, x: np.ndarray, y: np.ndarray, shown: np.ndarray, norm: LogNorm
) -> None:
    assert norm.vmin is not None and norm.vmax is not None
    colours = matplotlib.colormaps[COLOURS](norm(shown))
    heights = np.log10(shown)  # a 3-D axis of matplotlib has no log scale of its own
    across, along = np.meshgrid(x, y)
    axis.plot_surface(across, along, heights, facecolors=colours, rstride=1, cstride=1, shade=False)
    low, high = np.log10(norm.vmin), np.log10(norm.vmax)
    powers = range(int(np.ceil(low)), int(np.floor(high)) + 1)
    axis.set_zlim(low, high)
    axis.set_zticks(list(powers), [f"{10.0**p:g}" for p in powers])
    axis.tick_params(labelsize=7, pad=0)
    axis.locator_params(axis="x", nbins=4)
    axis.locator_params(axis="y", nbins=4)
    axis.set_box_aspect((1, 1, 0.75), zoom=1.1)


def _draw_lines(axes: np.ndarray, rows: pd.DataFrame, ceiling: float) -> None:
    """Every seed's first slice thin, the median over seeds and directions bold."""
    lines = rows[rows["kind"] == "line"]
    depths = sorted(lines["depth"].unique())
    for axis, look in zip(axes, LOOKS):
        for depth, shade in zip(depths, shades(len(depths))):
            arm = lines[(lines["depth"] == depth) & (lines["residual"] == look.residual)]
            for _, one in arm[arm["direction"] == 0].groupby("seed"):
                loss = one["loss"].clip(LOWEST, ceiling)
                axis.plot(one["x"], loss, look.line, color=shade, linewidth=0.6, alpha=0.6)
            middle = arm.groupby("x")["loss"].median().clip(LOWEST, ceiling)
            if len(middle):
                axis.plot(middle.index, middle, look.line, color=shade, linewidth=2, label=depth)
        axis.set(title=look.name, xlabel="along a direction", yscale="log")
        if axis.get_legend_handles_labels()[0]:
            axis.legend(title="depth", fontsize=7)
    axes[0].set_ylabel("loss")
