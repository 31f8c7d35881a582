"""The tables of a report as people read them: percent, mean ± std (n), published figures beside."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from resx.report.departures import NO_PROTOCOL
from resx.report.gaps import NO_CELL, Cell, Gap, gap_table
from resx.report.labels import as_key, in_order, network_kind, short
from resx.report.literature import published_columns
from resx.report.measures import Measure
from resx.report.selection import PlannedRun
from resx.statistics import Mean
from resx.store.summary import Status


@dataclass(frozen=True)
class Tables:
    """`gaps` has a table for each measure; `notes` is None where the notes' table is off topic."""

    gaps: dict[Measure, pd.DataFrame]
    networks: pd.DataFrame
    notes: pd.DataFrame | None
    steps: pd.DataFrame

    def by_heading(self) -> dict[str, pd.DataFrame]:
        """In the order of the page."""
        found = {measure.heading: table for measure, table in self.gaps.items()}
        found["Networks and departures"] = self.networks
        if self.notes is not None:
            found["The table of the notes: ImageNet, top-1 error of ten crops (%)"] = self.notes
        return found | {"Steps to reach a training error": self.steps}


def measure_table(
    runs: pd.DataFrame,
    rows: list[str],
    measure: Measure,
    reference: str | None = None,
    planned: tuple[PlannedRun, ...] = (),
) -> pd.DataFrame:
    """One measure for every row of the study; a planned cell that no run has reads `missing`."""
    cells = gap_table(runs, rows, measure)
    # A row without any run is no group of the table of runs: only the grid knows of it.
    present = {cell.key for cell in cells}
    absent = dict.fromkeys(run.key for run in planned if run.key not in present)
    cells += [Cell(key, *NO_CELL) for key in absent]
    table = []
    for cell in sorted(cells, key=lambda cell: tuple(map(in_order, cell.key))):
        row: dict[str, Any] = dict(zip(map(short, rows), cell.key))
        for kind, value in ((False, cell.plain), (True, cell.residual)):
            networks = runs[matching(runs, rows, cell.key) & (runs["residual"] == kind)]
            wanted = not planned or (cell.key, kind) in planned
            row[network_kind(kind)] = show_cell(value, networks, measure) if wanted else "-"
        row["gap"] = show_gap(cell.gap, measure)
        if reference and measure.published and "depth" in rows:
            row |= published_columns(reference, measure.published, dict(zip(rows, cell.key)))
        table.append(row)
    return pd.DataFrame(table)


def numeric_table(runs: pd.DataFrame, rows: list[str], measure: Measure) -> pd.DataFrame:
    """The same as numbers, for programs: errors are fractions, gaps of losses ratios."""
    table = []
    for cell in gap_table(runs, rows, measure):
        row: dict[str, Any] = dict(zip(map(short, rows), cell.key))
        for kind, mean in (("plain", cell.plain), ("residual", cell.residual)):
            row |= {f"{kind}_{name}": value for name, value in mean._asdict().items()}
        row |= {"gap": cell.gap.effect, "gap_low": cell.gap.low, "gap_high": cell.gap.high}
        table.append(row)
    return pd.DataFrame(table)


def show_cell(value: Mean, networks: pd.DataFrame, measure: Measure) -> str:
    """The value, and how many of the cell's runs have none, by the reason."""
    parts = [show(value, measure)] if value.n else []
    counts = networks["status"].value_counts()
    parts += [f"{n} {status}" for status, n in counts.items() if status != Status.FINISHED]
    if 0 < value.n < counts.get(Status.FINISHED, 0):
        parts.append("some without this split")
    return ", ".join(parts) or "missing"


def show(value: Mean, measure: Measure) -> str:
    """`12.34 ± 0.56 (3)`: percent for errors, n seeds in brackets."""
    spread = "" if math.isnan(value.std) else f" ± {measure.show(value.std)}"
    return f"{measure.show(value.mean)}{spread} ({value.n})"


def show_gap(gap: Gap, measure: Measure) -> str:
    """In points, or as a ratio of losses, with its 95 % interval where there is one."""
    if not gap.exists:
        return "-"
    effect, low, high = map(measure.show_difference, gap)
    return f"{effect} [{low}, {high}]" if gap.has_interval else f"{effect} (no interval)"


def matching(runs: pd.DataFrame, rows: list[str], key: tuple[object, ...]) -> "pd.Series[bool]":
    """Which runs have these values of the settings `rows`."""
    found = pd.Series(True, index=runs.index)
    for name, value in zip(rows, key):
        # By text: a column of numbers and `default` holds 8 and 8.0 as they were typed.
        found &= runs[name].map(str) == str(value)
    return found


def networks_table(runs: pd.DataFrame, rows: list[str], departures: dict[str, str]) -> pd.DataFrame:
    """Name and parameters of both twins, and how they depart from the paper's protocol."""
    table = []
    for key, group in runs.groupby(rows, dropna=False, sort=True):
        row: dict[str, Any] = dict(zip(map(short, rows), as_key(key)))
        for kind in (False, True):
            networks, name = group[group["residual"] == kind], network_kind(kind)
            first = None if networks.empty else networks.iloc[0]
            row[name] = "-" if first is None else first["network"]
            row[f"{name} parameters"] = "-" if first is None else f"{int(first['parameters']):,}"
        row["recipe"] = "; ".join(dict.fromkeys(group["recipe.name"].map(str)))
        found = dict.fromkeys(departures[directory] for directory in group.index)
        if set(found) != {NO_PROTOCOL}:
            row["departures from the protocol"] = "; ".join(found)
        table.append(row)
    return pd.DataFrame(table)
