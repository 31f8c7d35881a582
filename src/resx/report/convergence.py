"""How many steps a network needs to reach a training error (notes, 5.2): table, verdict, figure."""

import pandas as pd
from matplotlib.figure import Figure

from resx.inference import Answer, Rules, median_steps, slower
from resx.inference.convergence import THRESHOLDS
from resx.plotting import LOOKS, shades
from resx.report.labels import network_kind, short
from resx.report.sentences import evidence, why_not
from resx.report.verdict import Verdict, verdict
from resx.store.summary import Status

JUDGED = 0.1  # the training error whose number of steps is compared


def convergence(runs: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """Steps until the running training error first is at or below each threshold (notes, 5.2).

    Columns directory, depth, residual, seed, threshold (a fraction), step; NaN where it never is.
    """
    train = curves[curves["split"] == "train"]
    each = []
    for threshold in THRESHOLDS:
        first = train[train["error"] <= threshold].groupby("directory")["step"].min()
        table = runs[["depth", "residual", "seed"]].assign(threshold=threshold)
        each.append(table.assign(step=first.reindex(runs.index).astype(float)))
    # In the order of the runs, and of the thresholds within each.
    places = [n * len(runs) + i for i in range(len(runs)) for n in range(len(each))]
    return pd.concat(each).iloc[places].rename_axis("directory").reset_index()


def slows_with_depth(
    runs: pd.DataFrame, reached: pd.DataFrame, residual: bool, rules: Rules
) -> Verdict | None:
    """Does the deepest net need more steps to 10 % than the shallowest? None without two depths."""
    ended = runs[runs["status"].isin([Status.FINISHED, Status.DIVERGED])]
    networks = reached[(reached["threshold"] == JUDGED) & reached["directory"].isin(ended.index)]
    networks = networks[networks["residual"] == residual]
    depths = sorted(map(int, networks["depth"].unique()))
    if len(depths) < 2:
        return None
    ends = depths[0], depths[-1]
    shallow, deep = (networks[networks["depth"] == d].sort_values("seed")["step"] for d in ends)
    finding = slower(
        deep.tolist(), shallow.tolist(), rules, float(runs["recipe.record_every"].max())
    )
    last = float(runs["recipe.steps"].max())
    medians = [median_steps(steps.tolist(), last) for steps in (shallow, deep)]
    kind = network_kind(residual)
    question = f"Does the {kind} net need more steps to 10 % training error with depth?"
    words = {Answer.YES: "Yes", Answer.NO: "No, level", Answer.REVERSED: "No, fewer"}
    never = not any(median.arrived for median in medians)
    opening = words.get(finding.answer, "Cannot tell")
    first, second = map(str, medians)
    unit = " steps" if medians[0].median is not None else ""
    reached_at = f"{first}{unit} at {ends[0]}, {second} at {ends[1]} layers"
    why = f" ({evidence(finding)}){why_not(finding)}"
    text = f"{opening}: no run gets there." if never else f"{opening}: {reached_at}{why}."
    return verdict(f"convergence-{kind}", question, finding, text, ends)


def convergence_figure(reached: pd.DataFrame, last_step: float) -> Figure:
    """Median steps to a training error against depth; it ends where most seeds never get there."""
    figure = Figure(figsize=(9, 3.4))
    axes = figure.subplots(1, 2, sharey=True)
    arrived = reached.dropna()
    thresholds = [t for t in THRESHOLDS if t in set(arrived["threshold"])]
    for axis, look in zip(axes, LOOKS):
        for threshold, colour in zip(thresholds, shades(len(thresholds))):
            rows = (reached["residual"] == look.residual) & (reached["threshold"] == threshold)
            medians = (
                reached[rows]
                .groupby("depth")["step"]
                .agg(lambda steps: median_steps(steps.tolist(), last_step).median)
            )
            medians = medians.dropna()
            if len(medians):
                style = {"marker": look.marker, "color": colour, "label": f"{threshold:.0%}"}
                axis.plot(medians.index, medians.astype(float), look.line, **style)
        axis.set(title=look.name, xlabel="depth")
        if axis.get_legend_handles_labels()[0]:
            axis.legend(title="training error", fontsize=8)
    axes[0].set_ylabel("steps (median of the seeds)")
    return figure


def steps_table(
    runs: pd.DataFrame, reached: pd.DataFrame, rows: list[str], last_step: float
) -> pd.DataFrame:
    """Median steps to each training error (Kaplan and Meier), from `convergence`."""
    table = []
    for (*values, residual), group in runs.groupby([*rows, "residual"], dropna=False, sort=True):
        row: dict[str, object] = dict(zip(map(short, rows), values))
        row["network"] = network_kind(residual)
        networks = reached[reached["directory"].isin(group.index)]
        for threshold, seeds in networks.groupby("threshold", sort=False):
            row[f"{threshold:.0%}"] = str(median_steps(seeds["step"].tolist(), last_step))
        table.append(row)
    return pd.DataFrame(table)
