"""Do plain networks train ever slower with depth? (He 2015, arXiv:1512.03385, Sec. 4.1)"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from resx.analyses.analysis import ClaimVerdict, Finding, of_records
from resx.analyses.parts.facts import facts, refuse_mixed
from resx.analyses.parts.seeds import RULES
from resx.analyses.parts.words import name_of, said
from resx.experiment import Experiment
from resx.inference import Answer, median_steps, slower
from resx.inference import Finding as Inference
from resx.inference.convergence import THRESHOLDS
from resx.plotting import LOOKS

WINDOW = 5  # records that a local rate is fitted to


@of_records
def convergence(experiments: Sequence[Experiment], threshold: float = 0.1) -> Finding:
    """Steps until the running training error first is at or below errors, and the local rate.

    A run that never gets there, as one that diverged, would need more steps than it had (censored).
    The verdict compares the deepest with the shallowest network, plain and residual, at
    `threshold`. The local rate is -d ln(loss) / d step. Raises `ValueError` for networks that are
    of no run, and for a run that has not ended: it may arrive yet.
    """
    if not 0 < threshold < 1:
        raise ValueError(f"threshold={threshold}: must be in (0, 1)")
    if any(e.run is None for e in experiments):
        raise ValueError("convergence reads the records of runs: name them, runs=GLOB")
    refuse_mixed(experiments)
    for run in (e.run for e in experiments if e.run):
        if not run.status.is_final:
            raise ValueError(f"{run.directory}: {run.status} at step {run.last_step()}; finish it")
    runs = {str(e.run.directory): e for e in experiments if e.run}  # each once, whatever the step
    found = [_rows(e, sorted({*THRESHOLDS, threshold}, reverse=True)) for e in runs.values()]
    rows = pd.DataFrame([row for each in found for row in each])
    judged = rows[rows["threshold"] == threshold]
    changes = {kind: _change(judged, kind) for kind in (False, True)}
    plain = changes[False]
    return Finding(
        rows,
        partial(_figure, rows, threshold),
        _summary(rows),
        _text(judged, changes, threshold),
        claim="convergence",
        verdict=_verdict(plain, changes[True]),
        effect=plain.effect if plain else None,
        interval=plain.interval if plain else None,
        measure=f"steps to {threshold:.0%} training error, deepest over shallowest plain net",
    )


def local_rates(steps: Sequence[float], losses: Sequence[float]) -> np.ndarray:
    """-d ln(loss) / d step around each record, by least squares over a window of records.

    Of an exponential curve, exp(-r step), it is r everywhere. Records whose loss is zero or not
    finite are left out; empty with fewer records than the window.
    """
    x, y = np.asarray(steps, float), np.asarray(losses, float)
    kept = np.isfinite(y) & (y > 0)
    x, y = x[kept], np.log(y[kept])
    if len(x) < WINDOW:
        return np.empty(0)
    windows = np.lib.stride_tricks.sliding_window_view
    x, y = windows(x, WINDOW), windows(y, WINDOW)
    x = x - x.mean(1, keepdims=True)
    return np.asarray(-(x * y).sum(1) / (x**2).sum(1))


def _rows(experiment: Experiment, thresholds: list[float]) -> list[dict[str, Any]]:
    """A row a threshold of one run; `reached` is NaN where it never is."""
    assert experiment.run is not None
    config, curves = experiment.config, experiment.run.curves
    train = curves[curves["split"] == "train"]
    rates = local_rates(train["step"].tolist(), train["loss"].tolist())
    known = facts(experiment) | {
        "last_step": config.recipe.steps,
        "record_every": config.recipe.record_every,
        "rate": float(np.median(rates)) if len(rates) else None,
    }
    return [
        known | {"threshold": t, "reached": train["step"][train["error"] <= t].min()}
        for t in thresholds
    ]


def _change(judged: pd.DataFrame, residual: bool) -> Inference | None:
    """Deepest against shallowest; None without two depths."""
    nets = judged[judged["residual"] == residual]
    depths = sorted(nets["depth"].unique())
    if len(depths) < 2:
        return None
    shallow, deep = (nets[nets["depth"] == d]["reached"].tolist() for d in (depths[0], depths[-1]))
    every, last_step = (float(nets[name].max()) for name in ("record_every", "last_step"))
    return slower(deep, shallow, RULES, every, last_step)


def _verdict(plain: Inference | None, residual: Inference | None) -> ClaimVerdict:
    """Both halves of the claim: plain nets get slower, residual ones do not.

    The limit: of residual nets one cannot tell, or there are none.
    """
    if plain is None or plain.answer is Answer.CANNOT_TELL:
        return ClaimVerdict.CANNOT_TELL
    if plain.answer is not Answer.YES:
        return ClaimVerdict.NOT_CONFIRMED
    if residual is not None and residual.answer in (Answer.NO, Answer.REVERSED):
        return ClaimVerdict.CONFIRMED
    slower_too = residual is not None and residual.answer is Answer.YES
    return ClaimVerdict.NOT_CONFIRMED if slower_too else ClaimVerdict.LIMITED


def _text(judged: pd.DataFrame, changes: dict[bool, Inference | None], threshold: float) -> str:
    parts = []
    for (residual, depth), group in judged.groupby(["residual", "depth"]):
        steps = median_steps(group["reached"].tolist(), float(group["last_step"].max()))
        parts.append(f"{name_of(residual, depth)} {steps}")
    answers = [
        f"{look.name} nets: {_told(changes[look.residual])}"
        for look in LOOKS
        if changes[look.residual] is not None
    ]
    return (
        "Claim: plain networks train ever slower with depth, residual ones do not. Measured: steps"
        f" until the running training error is {threshold:.0%} or less, the median over runs, and"
        f" how many get there if not all do: {', '.join(parts)}. Does the deepest network"
        f" need more steps than the shallowest, by more than a factor of {RULES.ratio}?"
        f" {'; '.join(answers) or 'There are no two depths'}. Limit: this is one error of one"
        " recipe; a run that never gets there counts as slower than all that do."
    )


def _told(finding: Inference | None) -> str:
    assert finding is not None
    if finding.interval:
        return f"{finding.answer}, {said(finding)} times as many"
    chance = "" if finding.p is None else f", p = {finding.p:.3g}"
    return f"{finding.answer} ({finding.reason}{chance})"


def _summary(rows: pd.DataFrame) -> dict[str, Any]:
    """Median steps by network and threshold (None: never), and the median local rate."""
    summary: dict[str, Any] = {}
    for (residual, depth), nets in rows.groupby(["residual", "depth"]):
        numbers: dict[str, Any] = {"rate": float(nets["rate"].median())}
        for threshold, group in nets.groupby("threshold"):
            last = float(group["last_step"].max())
            numbers[f"steps to {threshold:g}"] = median_steps(
                group["reached"].tolist(), last
            ).median
        summary[name_of(residual, depth)] = numbers
    return summary


def _figure(rows: pd.DataFrame, threshold: float) -> Figure:
    """Steps at the threshold against depth, runs that never arrive on a line of their own."""
    figure = Figure(figsize=(9, 3.6))
    left, right = figure.subplots(1, 2)
    judged = rows[rows["threshold"] == threshold]
    last = judged["last_step"].max()
    for look in LOOKS:
        nets = judged[judged["residual"] == look.residual]
        style = {"color": look.colour, "marker": look.marker}
        arrived, never = nets.dropna(subset="reached"), nets[nets["reached"].isna()]
        left.plot(arrived["depth"], arrived["reached"], linestyle="", label=look.name, **style)
        hollow = {"markerfacecolor": "none", "linestyle": "", "label": f"{look.name}, never"}
        if len(never):
            left.plot(never["depth"], [1.15 * last] * len(never), **(style | hollow))
        medians = arrived.groupby("depth")["reached"].median()
        left.plot(medians.index, medians, look.line, color=look.colour)
        rates = nets.groupby("depth")["rate"].median()
        right.plot(rates.index, rates, look.line, label=look.name, **style)
    left.axhline(last, color="grey", linewidth=0.8)
    left.set(xlabel="depth", ylabel=f"steps to {threshold:.0%} training error", yscale="log")
    right.set(xlabel="depth", ylabel="median local rate, $-d\\,\\ln(loss)/d\\,step$")
    left.yaxis.set_major_formatter(ScalarFormatter())
    left.yaxis.set_minor_formatter(ScalarFormatter())
    left.legend(fontsize=8)
    right.legend(fontsize=8)
    return figure
