"""Which runs a report is of, what its rows are, and which runs are judged."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd

from resx.config.schema import TrainConfig
from resx.config.settings import flattened
from resx.errors import RequestError
from resx.report.collect import Collected
from resx.report.measures import CLEAN_ERROR
from resx.report.mixing import describes_network, refuse_mixed_settings, varying
from resx.store.summary import Status

DEFAULT = "default"  # shown for a setting that is left to the network


class PlannedRun(NamedTuple):
    """A cell of the table that the grid asks for: the values of its row, and which column."""

    key: tuple[Any, ...]
    residual: bool


@dataclass(frozen=True)
class Selection:
    """What a report is asked for: the runs of a study, or any runs.

    `rows` are the settings that tell the table's rows apart, none to find them from the runs;
    `reference` is the protocol that they are held against, None for that of each run's family;
    `papers` are tables to show, with names of networks or none for all; `planned` has one item for
    every run that a grid asks for; at the best value of `best_over` a network is judged.
    """

    name: str
    question: str
    command: str
    rows: tuple[str, ...] = ()
    reference: str | None = None
    papers: dict[str, list[str]] = field(default_factory=dict)
    planned: tuple[PlannedRun, ...] = ()
    best_over: str | None = None


@dataclass(frozen=True)
class SelectedRuns:
    """All `runs` of a report, and those of them that are `judged`: the same without a `best_over`.

    A setting of the rows that was left to the network reads `default` in them.
    """

    selection: Selection
    rows: list[str]
    runs: pd.DataFrame
    judged: pd.DataFrame
    curves: pd.DataFrame
    skipped: dict[str, str]

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
    rows = list(selection.rows) or default_rows(runs)
    refuse_mixed_settings(runs, rows, in_a_study=bool(selection.rows))
    runs = runs.assign(**{row: runs[row].map(_as_named) for row in rows})
    judged = best_of(runs, rows, selection.best_over) if selection.best_over else runs
    return SelectedRuns(selection, rows, runs, judged, collected.curves, collected.skipped)


def row_key(config: TrainConfig, rows: list[str]) -> tuple[Any, ...]:
    """In which row of the table a run of this configuration stands."""
    flat = flattened(config)
    return tuple(_as_named(flat.get(row)) for row in rows)


def default_rows(runs: pd.DataFrame) -> list[str]:
    """For a selection without a study: depth, and which network, but not how it was trained."""
    families = [group for _, group in runs.groupby("model.name")]
    within = dict.fromkeys(key for family in families for key in varying(family))
    found = ["model.name"] * (len(families) > 1) + [k for k in within if describes_network(k)]
    return ["depth", *(k for k in found if k != "depth")]


def best_of(runs: pd.DataFrame, rows: list[str], setting: str) -> pd.DataFrame:
    """For each network only the runs at its best value of `setting`, by mean training error.

    A value at which a run diverged is not the best.
    """
    networks = [row for row in rows if row != setting] + ["residual"]
    kept = []
    for _, group in runs.groupby(networks, dropna=False):
        finished = group[group["status"] == Status.FINISHED]
        means = finished.groupby(setting)[CLEAN_ERROR.column].mean()
        diverged = group[group["status"] == Status.DIVERGED][setting].unique()
        means = means.drop(diverged, errors="ignore")
        # Where every value diverged that is the network's result, and any value shows it.
        best = means.idxmin() if means.notna().any() else group[setting].iloc[0]
        kept.append(group[group[setting] == best])
    return pd.concat(kept)


def _as_named(value: Any) -> Any:
    """A value that can be part of a row's key: `default` for none, whole numbers as such."""
    if value is None or value != value:  # pandas makes None NaN in a column with numbers
        return DEFAULT
    return int(value) if isinstance(value, float) and value.is_integer() else value
