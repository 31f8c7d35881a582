"""How a plain and a residual block learn the identity, and how far trained blocks are from it."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resx.analyses.parts.facts import at_last_step
from resx.plotting import LOOKS

SMALLEST = 1e-8  # float32 knows nothing less


def identity_figure(rows: pd.DataFrame, threshold: float, norms: dict[bool, str]) -> Figure:
    figure = Figure(figsize=(10.5, 3.6))
    axes = figure.subplots(1, 3)
    for axis, (norm, name) in zip(axes, norms.items()):
        for look in LOOKS:
            lessons = rows[(rows["kind"] == "lesson") & (rows["with_norm"] == norm)]
            lessons = lessons[lessons["residual"] == look.residual]
            for number, (_, curve) in enumerate(lessons.groupby("seed")):
                label = None if number else look.name
                x, y = curve["lesson_step"], curve["error"].clip(lower=SMALLEST)
                axis.plot(x, y, look.line, color=look.colour, label=label)
        axis.axhline(threshold, color="grey", linewidth=0.8)
        axis.set(yscale="log", xlabel="step", title=f"a block learns, {name}")
        axis.legend(fontsize=8)
    axes[0].set_ylabel(r"$|block(x)-x|^2\,/\,|x|^2$")
    _draw_sizes(axes[2], rows[rows["kind"] == "size"])
    return figure


def _draw_sizes(axis: Axes, sizes: pd.DataFrame) -> None:
    """Of the given weights, by the place of the block; the deepest net is drawn strongest."""
    sizes = at_last_step(sizes)
    for look in LOOKS:
        for depth, net in sizes[sizes["residual"] == look.residual].groupby("depth"):
            means = net.groupby("block")["distance"].mean()
            place = (means.index - 1) / max(len(means) - 1, 1)
            style: dict[str, Any] = {"color": look.colour, "marker": look.marker, "markersize": 3}
            style["alpha"] = 1.0 if depth == sizes["depth"].max() else 0.45
            axis.plot(place, means, look.line, label=f"{look.name}-{depth}", **style)
    axis.set(xlabel="place of the block (0 first, 1 last)", ylabel=r"$|block(x)-x|\,/\,|x|$")
    axis.set(title="blocks of the given weights", ylim=(0, None))
    axis.legend(fontsize=7)
