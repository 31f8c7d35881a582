"""Which runs a report is of, what its rows are, and which runs are judged."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd

from resx.config.schema import StudyConfig, TrainConfig
from resx.config.settings import setting
from resx.errors import RequestError
from resx.report.best import best_of, describe_choices
from resx.report.collect import Collected
from resx.report.mixing import describe_others, refuse_mixed_settings, told_apart

DEFAULT = "default"  # shown for a setting that is left to the network


class PlannedRun(NamedTuple):
    """A cell of the table that the grid asks for: the values of its row, and which column."""

    key: tuple[Any, ...]
    residual: bool


@dataclass(frozen=True)
class Selection:
    """What a report is asked for: the runs of a study, or any runs.

    `rows` are the settings that tell the table's rows apart, none to find them from the runs;
    `planned` has one item for every run that a grid asks for; `study` says how runs are judged, and
    what of the papers they are held against.
    """

    name: str
    question: str
    command: str
    rows: tuple[str, ...] = ()
    planned: tuple[PlannedRun, ...] = ()
    study: StudyConfig = field(default_factory=StudyConfig)

    @property
    def reference(self) -> str | None:
        return self.study.reference

    @property
    def best_over(self) -> str | None:
        return self.study.best_over


@dataclass(frozen=True)
class SelectedRuns:
    """All `runs` of a report, and those of them that are `judged`: the same without a `best_over`.

    A setting of the rows that was left to the network reads `default` in them. `notes` say at which
    value of `best_over` each network is judged, and in what rows differ that no column shows.
    """

    selection: Selection
    rows: list[str]
    runs: pd.DataFrame
    judged: pd.DataFrame
    curves: pd.DataFrame
    skipped: dict[str, str]
    notes: tuple[str, ...] = ()

    @property
    def judged_rows(self) -> list[str]:
        return [row for row in self.rows if row != self.selection.best_over]

    @property
    def variants(self) -> list[str]:
        """The settings beyond depth: depth is judged apart for every combination of them."""
        return [row for row in self.judged_rows if row != "depth"]


def select(collected: Collected, selection: Selection) -> SelectedRuns:
    """Raises `RequestError` without runs, or for runs that differ in what no row tells apart."""
    runs = collected.runs
    if runs.empty:
        reasons = "; ".join(f"{d}: {reason}" for d, reason in collected.skipped.items())
        raise RequestError(f"{selection.name}: no run can be read ({reasons})")
    rows, others = (list(selection.rows), []) if selection.rows else told_apart(runs)
    refuse_mixed_settings(runs, rows)
    runs = runs.assign(**{row: runs[row].map(_as_named) for row in rows})
    judged, choices = runs, ""
    if selection.best_over:
        judged, found = best_of(runs, rows, selection.best_over)
        choices = describe_choices(found, selection.best_over)
    notes = tuple(note for note in (choices, describe_others(runs, others)) if note)
    return SelectedRuns(selection, rows, runs, judged, collected.curves, collected.skipped, notes)


def row_key(config: TrainConfig, rows: list[str]) -> tuple[Any, ...]:
    """In which row of the table a run of this configuration stands."""
    return tuple(_as_named(setting(config, row)) for row in rows)


def _as_named(value: Any) -> Any:
    """A value that can be part of a row's key: `default` for none, whole numbers as such."""
    if value is None or value != value:  # pandas makes None NaN in a column with numbers
        return DEFAULT
    return int(value) if isinstance(value, float) and value.is_integer() else value
