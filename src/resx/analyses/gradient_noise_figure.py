"""Variance of gradients and noise scale, against the loss or the depth."""

import pandas as pd
from matplotlib.figure import Figure

from resx.analyses.parts.drawing import draw_points, draw_twins


def gradient_noise_figure(rows: pd.DataFrame) -> Figure:
    """Against the loss where networks have several steps, else against the depth."""
    rows = rows[rows["norm"] == rows["norm"].min()]
    rows = rows.assign(noise_scale=rows["noise_scale"].fillna(rows["images"]))
    along = rows["step"].nunique() > 1
    figure = Figure(figsize=(8, 3.4))
    panels = (
        ("variance", "variance of a batch's gradient"),
        ("noise_scale", "noise scale, images"),
    )
    for axes, (column, label) in zip(figure.subplots(1, 2), panels):
        axes.set(yscale="log", ylabel=label)
        if along:
            axes.set(xscale="log", xlabel=f"loss, {rows['depth'].max()} layers")
            draw_points(axes, rows[rows["depth"] == rows["depth"].max()], "loss", column)
            axes.invert_xaxis()
        else:
            axes.set(xlabel="depth")
            draw_twins(axes, rows, "depth", column)
        axes.legend()
    return figure
