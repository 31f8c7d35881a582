"""How many steps a network needs to reach a training error (notes, 5.2): table and figure."""

import pandas as pd
from matplotlib.figure import Figure

from resx.plotting import LOOKS, shades
from resx.report.labels import network_kind, short

THRESHOLDS = (0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01)


def convergence(runs: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """Steps until the running training error first is at or below each threshold (notes, 5.2).

    Columns directory, depth, residual, seed, threshold (a fraction), step; NaN where it never is.
    """
    rows = []
    train = dict(list(curves[curves["split"] == "train"].groupby("directory")))
    for directory, run in runs.iterrows():
        records = train.get(directory, curves[:0])
        for threshold in THRESHOLDS:
            step = records["step"][records["error"] <= threshold].min()  # NaN of none
            rows.append((directory, run["depth"], run["residual"], run["seed"], threshold, step))
    columns = ["directory", "depth", "residual", "seed", "threshold", "step"]
    return pd.DataFrame(rows, columns=columns).astype({"step": float})


def convergence_figure(reached: pd.DataFrame) -> Figure:
    """Steps to reach a training error, against depth; a net that never gets there is not drawn."""
    figure = Figure(figsize=(9, 3.4))
    axes = figure.subplots(1, 2, sharey=True)
    reached = reached.dropna()
    thresholds = [t for t in THRESHOLDS if t in set(reached["threshold"])]
    for axis, look in zip(axes, LOOKS):
        for threshold, colour in zip(thresholds, shades(len(thresholds))):
            networks = reached[reached["residual"] == look.residual]
            means = networks[networks["threshold"] == threshold].groupby("depth")["step"].mean()
            if len(means):
                style = {"marker": look.marker, "color": colour, "label": f"{threshold:.0%}"}
                axis.plot(means.index, means, look.line, **style)
        axis.set(title=look.name, xlabel="depth")
        if axis.get_legend_handles_labels()[0]:
            axis.legend(title="training error", fontsize=8)
    axes[0].set_ylabel("steps")
    return figure


def steps_table(runs: pd.DataFrame, reached: pd.DataFrame, rows: list[str]) -> pd.DataFrame:
    """Mean steps to each training error, from `convergence`; `never` where no seed gets there."""
    table = []
    for (*values, residual), group in runs.groupby([*rows, "residual"], dropna=False, sort=True):
        row: dict[str, object] = dict(zip(map(short, rows), values))
        row["network"] = network_kind(residual)
        networks = reached[reached["directory"].isin(group.index)]
        for threshold, seeds in networks.groupby("threshold", sort=False):
            steps = seeds["step"].dropna()
            some = f" ({len(steps)} of {len(seeds)})" if len(steps) < len(seeds) else ""
            row[f"{threshold:.0%}"] = f"{steps.mean():.0f}{some}" if len(steps) else "never"
        table.append(row)
    return pd.DataFrame(table)
