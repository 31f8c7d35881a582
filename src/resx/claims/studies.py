"""What the runs of a study say of a claim: a verdict of its report, or two of its networks."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from resx.analyses.analysis import ClaimVerdict
from resx.claims.row import NOT_MEASURED, Row, stored_span
from resx.inference.arms import Arm, Rules
from resx.inference.comparison import compare
from resx.reference.claims import Claim, Measurement
from resx.report.collect import collect
from resx.report.measures import CLEAN_ERROR, CLEAN_LOSS
from resx.store.summary import Status

CANNOT_TELL = str(ClaimVerdict.CANNOT_TELL)


def of_verdict(claim: Claim, measurement: Measurement, report: Path) -> Row:
    """The verdict with the `id` of the question; of several groups of runs, the first group's."""
    verdicts = json.loads((report / "verdicts.json").read_text())
    found = [v for v in verdicts if v.get("id") == measurement.question]
    if not found:
        text = f"The report has no verdict on {measurement.question}."
        return Row(claim, measurement, NOT_MEASURED, text)
    verdict = found[0]
    return Row(
        claim,
        measurement,
        measurement.answers.get(verdict["answer"], CANNOT_TELL),
        verdict["text"],
        verdict["effect"],
        stored_span(verdict["interval"]),
        verdict["measure"],
        _figure(measurement, report),
        report / "runs.csv",
    )


def of_comparison(
    claim: Claim, measurement: Measurement, directories: list[Path], report: Path
) -> Row:
    """Is the training error of the first kind of network greater than that of the second?

    By the rules of docs/statistics.md; chance is taken to be that of equally frequent classes.
    """
    runs = collect(directories).runs
    first, second = _chosen(runs, measurement.first), _chosen(runs, measurement.second)
    if first.empty or second.empty:
        text = f"The study has no runs with {measurement.first} or {measurement.second}."
        return Row(claim, measurement, NOT_MEASURED, text)
    classes = int(runs["data.classes"].iloc[0])
    finding = compare(_arm(first), _arm(second), Rules(chance=1 - 1 / classes))
    row = Row(
        claim,
        measurement,
        measurement.answers.get(str(finding.answer), CANNOT_TELL),
        effect=finding.effect,
        interval=finding.interval,
        measure=str(finding.measure),
        figure=_figure(measurement, report),
        rows=report / "runs.csv",
    )
    errors = [f"{100 * kind[CLEAN_ERROR.column].mean():.2f}" for kind in (first, second)]
    evidence = f" ({row.evidence})" if row.evidence else ""
    text = (
        f"Is the training error of the first greater ({row.source.split(': ')[1]})?"
        f" {str(finding.answer).capitalize()}: {errors[0]} and {errors[1]} % in the mean of"
        f" {finding.n[0]} and {finding.n[1]} seeds{evidence}; decided by {finding.reason}."
    )
    return replace(row, text=text)


def _chosen(runs: pd.DataFrame, settings: dict[str, Any]) -> pd.DataFrame:
    chosen = pd.Series(True, index=runs.index)
    for name, value in settings.items():
        chosen &= runs[name] == value if name in runs else False
    return runs[chosen]


def _arm(runs: pd.DataFrame) -> Arm:
    """A run that diverged has no error, but counts."""
    finished = runs["status"] == Status.FINISHED
    errors, losses = (
        runs[measure.column].where(finished, math.nan).tolist()
        for measure in (CLEAN_ERROR, CLEAN_LOSS)
    )
    return Arm(errors, int(runs["images"].iloc[0]), losses)


def _figure(measurement: Measurement, report: Path) -> Path | None:
    """The report's figure; of a study that has none of that kind, its curves."""
    found = (report / f"{name}.svg" for name in (measurement.figure, "curves"))
    return next((figure for figure in found if figure.is_file()), None)
