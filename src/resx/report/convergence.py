"""How many steps a network needs to reach a training error (notes, 5.2): table and figure."""

import pandas as pd
from matplotlib.figure import Figure

from resx.report.figures import SIDES, shades
from resx.report.tables import short

THRESHOLDS = (0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01)


def convergence(runs: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """Steps until the running training error first is at or below each threshold (notes, 5.2).

    Columns directory, depth, residual, seed, threshold (a fraction), step; NaN where it never is.
    """
    rows = []
    train = curves[curves.split == "train"]
    for directory, run in runs.iterrows():
        mine = train[train["directory"] == directory]
        for threshold in THRESHOLDS:
            reached = mine[mine["error"] <= threshold]["step"]
            step = float(reached.min()) if len(reached) else float("nan")
            rows.append((directory, run["depth"], run["residual"], run["seed"], threshold, step))
    return pd.DataFrame(
        rows, columns=["directory", "depth", "residual", "seed", "threshold", "step"]
    )


def convergence_figure(table: pd.DataFrame) -> Figure:
    """Steps to reach a training error, against depth; a net that never gets there is not drawn."""
    figure = Figure(figsize=(9, 3.4))
    axes = figure.subplots(1, 2, sharey=True)
    reached = table.dropna()
    wanted = [t for t in THRESHOLDS if t in set(reached["threshold"])]
    for axis, (residual, name, marker, line) in zip(axes, SIDES):
        for threshold, colour in zip(wanted, shades(len(wanted))):
            side = reached[(reached.residual == residual) & (reached.threshold == threshold)]
            if side.empty:
                continue
            means = side.groupby("depth")["step"].mean()
            axis.plot(
                means.index, means, line, marker=marker, color=colour, label=f"{threshold:.0%}"
            )
        axis.set(title=name, xlabel="depth")
        if axis.get_legend_handles_labels()[0]:
            axis.legend(title="training error", fontsize=8)
    axes[0].set_ylabel("steps")
    return figure


def steps_table(runs: pd.DataFrame, curves: pd.DataFrame, rows: list[str]) -> pd.DataFrame:
    """Mean steps to each training error; `never` where no seed gets there."""
    reached = convergence(runs, curves)
    table = []
    for key, group in runs.groupby([*rows, "residual"], dropna=False, sort=True):
        *values, residual = key if isinstance(key, tuple) else (key,)
        row: dict[str, object] = dict(zip(map(short, rows), values))
        row["network"] = "residual" if residual else "plain"
        mine = reached[reached["directory"].isin(group.index)]
        for threshold, records in mine.groupby("threshold", sort=False):
            steps = records["step"].dropna()
            some = f" ({len(steps)} of {len(records)})" if len(steps) < len(records) else ""
            row[f"{threshold:.0%}"] = f"{steps.mean():.0f}{some}" if len(steps) else "never"
        table.append(row)
    return pd.DataFrame(table)
