"""Norms of gradients against the block, plain and residual, in log scale."""

import pandas as pd
from matplotlib.figure import Figure

from resx.analyses.parts.drawing import draw_twins, shown_depths


def gradient_flow_figure(rows: pd.DataFrame) -> Figure:
    """A column a depth; dL/dx above dL/dW, for each normalisation and the first and last step."""
    steps = sorted({rows["step"].min(), rows["step"].max()})
    shown = rows[rows["step"].isin(steps) & (rows["name"] != "head")]
    conditions = list(shown.groupby(["norm", "step"]))
    depths = shown_depths(rows)
    figure = Figure(figsize=(max(3.2, 3 * len(depths)), 0.5 + 4.4 * len(conditions)))
    grid = figure.subplots(2 * len(conditions), len(depths), squeeze=False, sharey="row")
    measures = (("input_gradient", "|dL/dx|, block's input"), ("weight_gradient", "|dL/dW|, block"))
    for number, ((norm, step), group) in enumerate(conditions):
        for line, (column, label) in zip(grid[2 * number : 2 * number + 2], measures):
            for axes, depth in zip(line, depths):
                axes.set_yscale("log")
                draw_twins(axes, group[group["depth"] == depth], "block", column)
                detail = f", norm {norm}, step {step}" if len(conditions) > 1 else ""
                axes.set(title=f"{depth} layers{detail}", xlabel="block")
            line[0].set_ylabel(label)
    grid[0][0].legend()
    return figure
