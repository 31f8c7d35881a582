"""Probe error, direction and similarity against depth within the network, and CKA of all pairs."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import AxesImage

from resx.analyses.parts.facts import at_last_step
from resx.plotting import LOOKS, shades

PANELS = {
    "probe_error": "probe error, %",
    "cosine": "cos(F(x), -dL/dx)",
    "cka": "CKA with the input",
}
COLOURS = "cividis"  # lightness rises steadily: right in grey, and for the colour-blind


def refinement_figure(rows: pd.DataFrame, pairs: pd.DataFrame) -> Figure:
    """Plain left, residual right; below, which blocks of the deepest nets give similar features."""
    figure = Figure(figsize=(7.5, 10.8))
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(7.4, 3.4))[:, 0]
    _draw_against_depth(above, rows)
    axes = below.subplots(1, 2)
    deepest = pairs[pairs["depth"] == pairs["depth"].max()]
    for axis, look in zip(axes, LOOKS):
        net = at_last_step(deepest[deepest["residual"] == look.residual])
        image = _draw_pairs(axis, net)
        axis.set(title=f"{look.name}, depth {deepest['depth'].max():.0f}", xlabel="block")
    axes[0].set_ylabel("block")
    below.colorbar(image, ax=axes, label="CKA of two blocks' outputs", shrink=0.85)
    return figure


def _draw_against_depth(figure: SubFigure, rows: pd.DataFrame) -> None:
    depths = sorted(rows["depth"].unique())
    axes = figure.subplots(3, 2, sharex=True, sharey="row")
    for line, (column, name) in zip(axes, PANELS.items()):
        line[0].set_ylabel(name)
        for axis, look in zip(line, LOOKS):
            for depth, shade in zip(depths, shades(len(depths))):
                arm = rows[(rows["depth"] == depth) & (rows["residual"] == look.residual)]
                means = arm.groupby("block")[column].mean().dropna()
                scale = 100 if column.endswith("error") else 1
                place = means.index / max(arm["block"].max(), 1)
                style = f"{look.marker}{look.line}"
                axis.plot(place, scale * means, style, color=shade, markersize=3, label=str(depth))
    for axis, look in zip(axes[0], LOOKS):
        axis.set_title(look.name)
        axis.legend(title="depth", fontsize=8)
    for axis in axes[1]:
        axis.axhline(0, color="0.5", linewidth=0.8)
    for axis in axes[-1]:
        axis.set(xlabel="block / number of blocks", ylim=(None, 1.02))


def _draw_pairs(axis: Axes, net: pd.DataFrame) -> AxesImage:
    """The mean over seeds; an empty square where there is no such network."""
    blocks = int(net["block"].max()) if len(net) else 1
    table = np.full((blocks, blocks), np.nan)
    for (i, j), value in net.groupby(["block", "with"])["cka"].mean().items():
        table[int(i) - 1, int(j) - 1] = table[int(j) - 1, int(i) - 1] = value
    ends = (0.5, blocks + 0.5)
    axis.grid(False)
    return axis.imshow(
        table, COLOURS, vmin=0, vmax=1, origin="lower", extent=(*ends, *ends), aspect="equal"
    )
