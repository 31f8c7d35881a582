"""Probe error, direction and similarity against depth within the network."""

import pandas as pd
from matplotlib.figure import Figure

from resx.plotting import LOOKS, shades

PANELS = {
    "probe_error": "probe error, %",
    "cosine": "cos(F(x), -dL/dx)",
    "cka": "CKA with the input",
}


def refinement_figure(rows: pd.DataFrame) -> Figure:
    depths = sorted(rows["depth"].unique())
    figure = Figure(figsize=(7.5, 7.5))
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
    return figure
