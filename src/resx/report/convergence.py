"""How many steps a network needs to reach a training error (notes, 5.2): table, verdict, figure."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from resx.inference import Answer, Rules, median_steps, slower
from resx.inference.convergence import THRESHOLDS, Steps
from resx.plotting import LOOKS, depth_axis, legend_outside, panels, shades
from resx.report.labels import network_kind, short
from resx.report.measures import has_ended
from resx.report.sentences import evidence, why_not
from resx.report.verdict import Verdict, verdict

JUDGED = 0.1  # the training error whose number of steps is compared


def convergence(runs: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """Steps until the running training error first is at or below each threshold (notes, 5.2).

    Columns directory, depth, residual, seed, threshold (a fraction), step; NaN where it never is.
    """
    train = curves[curves["split"] == "train"]
    first = {
        t: train[train["error"] <= t].groupby("directory")["step"].min().to_dict()
        for t in THRESHOLDS
    }
    networks = runs[["depth", "residual", "seed"]].itertuples()
    rows = [(*run, t, first[t].get(run.Index)) for run in networks for t in THRESHOLDS]
    columns = ["directory", "depth", "residual", "seed", "threshold", "step"]
    return pd.DataFrame(rows, columns=columns).astype({"step": float})


def slows_with_depth(
    runs: pd.DataFrame, reached: pd.DataFrame, residual: bool, rules: Rules
) -> Verdict | None:
    """Does the deepest net need more steps to 10 % than the shallowest? None without two depths."""
    ended = runs[has_ended(runs)]
    networks = reached[(reached["threshold"] == JUDGED) & reached["directory"].isin(ended.index)]
    networks = networks[networks["residual"] == residual]
    depths = sorted(map(int, networks["depth"].unique()))
    if len(depths) < 2:
        return None
    ends = depths[0], depths[-1]
    shallow, deep = (networks[networks["depth"] == d].sort_values("seed")["step"] for d in ends)
    last = float(runs["recipe.steps"].max())
    every = float(runs["recipe.record_every"].max())
    finding = slower(deep.tolist(), shallow.tolist(), rules, every, last)
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


def convergence_figure(reached: pd.DataFrame, last_step: float, narrow: bool = False) -> Figure:
    """Median steps to a training error against depth; it ends where most seeds never get there."""
    looks = [look for look in LOOKS if (reached["residual"] == look.residual).any()]
    figure, axes = panels(len(looks), 3.4, narrow)
    arrived = reached.dropna()
    thresholds = [t for t in THRESHOLDS if t in set(arrived["threshold"])]
    colours = dict(zip(thresholds, shades(len(thresholds))))
    for axis, look in zip(axes, looks):
        for threshold, colour in colours.items():
            rows = (reached["residual"] == look.residual) & (reached["threshold"] == threshold)
            medians = (
                reached[rows]
                .groupby("depth")["step"]
                .agg(lambda steps: median_steps(steps.tolist(), last_step).median)
            )
            medians = medians.dropna()
            if len(medians):
                style: dict[str, Any] = {
                    "marker": look.marker,
                    "color": colour,
                    "label": f"{threshold:.0%}",
                }
                axis.plot(medians.index, medians.astype(float), look.line, **style)
        depth_axis(axis, reached["depth"])
        axis.set(title=look.name, ylabel="steps (median of the seeds)")
        axis.label_outer()
    axes[0].set_ylim(bottom=0)
    handles = [Line2D([], [], color=c, marker=".", label=f"{t:.0%}") for t, c in colours.items()]
    legend_outside(figure, narrow, handles, title="training error")
    return figure


def steps_table(runs: pd.DataFrame, reached: pd.DataFrame, rows: list[str]) -> pd.DataFrame:
    """Median steps to each training error (Kaplan and Meier), from `convergence`."""
    table: dict[tuple[Any, ...], dict[str, object]] = {}
    for key, threshold, steps in _medians(runs, reached, rows):
        table.setdefault(key, {})[f"{threshold:.0%}"] = str(steps)
    names = [*map(short, rows), "network"]
    return pd.DataFrame([dict(zip(names, key)) | steps for key, steps in table.items()])


def numeric_steps(runs: pd.DataFrame, reached: pd.DataFrame, rows: list[str]) -> pd.DataFrame:
    """The same as numbers: a median is empty where more than half of the runs never arrive."""
    names = [*map(short, rows), "network"]
    return pd.DataFrame(
        dict(zip(names, key)) | {"threshold": threshold} | asdict(steps)
        for key, threshold, steps in _medians(runs, reached, rows)
    )


def _medians(
    runs: pd.DataFrame, reached: pd.DataFrame, rows: list[str]
) -> Iterator[tuple[tuple[Any, ...], float, Steps]]:
    """Of each network and threshold; the key are the values of `rows` and the kind of network."""
    for (*values, residual), group in runs.groupby([*rows, "residual"], dropna=False, sort=True):
        networks = reached[reached["directory"].isin(group.index)]
        last_step = float(group["recipe.steps"].max())
        for threshold, seeds in networks.groupby("threshold", sort=False):
            steps = median_steps(seeds["step"].tolist(), last_step)
            yield (*values, network_kind(residual)), float(threshold), steps
