"""What the runs of a study say of a claim: a verdict of its report, or two of its networks."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from resx.analyses.analysis import ClaimVerdict
from resx.claims.row import NOT_MEASURED, Row, sides_of, stored_span
from resx.inference import Answer, compare
from resx.reference.claims import Claim, Measurement
from resx.report.selection import SelectedRuns
from resx.report.sentences import (
    evidence,
    failures,
    fresh_seeds,
    fresh_set,
    level,
    quantity,
    why_not,
)
from resx.report.yardstick import yardstick_of

CANNOT_TELL = str(ClaimVerdict.CANNOT_TELL)
WORDS = {Answer.YES: "Yes", Answer.NO: "No, level", Answer.REVERSED: "No, better"}


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
    claim: Claim, measurement: Measurement, selected: SelectedRuns, report: Path
) -> Row:
    """Does the first kind of network train worse than the second?

    By the study's own measure, margin and ratio, each network at its best value of `best_over`, one
    run a seed. Raises `RequestError` if a seed stands twice.
    """
    kinds = measurement.first, measurement.second
    judged = [_chosen(selected.judged, kind) for kind in kinds]
    if any(runs.empty for runs in judged):
        text = f"The study has no runs with {measurement.first} or {measurement.second}."
        return Row(claim, measurement, NOT_MEASURED, text)
    study = selected.selection.study
    runs, yardstick = yardstick_of(pd.concat(judged), selected.curves, study)
    first, second = (yardstick.arm(_chosen(runs, kind)) for kind in kinds)
    finding = compare(first, second, yardstick.rules)
    names, among = sides_of(measurement)
    needed = fresh_seeds(first, second, finding, yardstick.rules)
    text = (
        f"Does {names[0]} train worse than {names[1]}{among}?"
        f" {WORDS.get(finding.answer, 'Cannot tell')}:"
        f" {quantity(yardstick.name, finding, yardstick.rules)} {level(first, finding.measure)} and"
        f" {level(second, finding.measure)} ({evidence(finding)}){failures(finding, names)}"
        f"{why_not(finding, fresh_set(needed))}."
    )
    return Row(
        claim,
        measurement,
        measurement.answers.get(str(finding.answer), CANNOT_TELL),
        " ".join((text, *selected.notes)),
        finding.effect,
        finding.interval,
        str(finding.measure),
        _figure(measurement, report),
        report / "runs.csv",
    )


def _chosen(runs: pd.DataFrame, settings: dict[str, Any]) -> pd.DataFrame:
    chosen = pd.Series(True, index=runs.index)
    for name, value in settings.items():
        chosen &= runs[name] == value if name in runs else False
    return runs[chosen]


def _figure(measurement: Measurement, report: Path) -> Path | None:
    """The report's figure; of a study that has none of that kind, its curves."""
    found = (report / f"{name}.svg" for name in (measurement.figure, "curves"))
    return next((figure for figure in found if figure.is_file()), None)
