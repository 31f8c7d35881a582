"""The tables of a report as people read them: percent, mean ± std (n), published figures beside."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from resx.reference.papers import PaperTable
from resx.report.departures import Comparison
from resx.report.gaps import NO_CELL, Cell, Gap, gap_table
from resx.report.labels import in_order, network_kind, short
from resx.report.literature import published_columns, settings_like, without_empty
from resx.report.measures import Measure
from resx.report.selection import PlannedRun
from resx.statistics import Mean
from resx.store.summary import Status

NETWORKS, DEPARTURES = "Networks", "Departures from the papers' protocols"
PAPERS = "What the papers found, on their data"
STEPS = "Steps to reach a training error"
NOTES = "The table of the notes: ImageNet, top-1 error of ten crops (%)"


@dataclass(frozen=True)
class Tables:
    """`gaps` has a table for each measure; None is a table that has nothing to say here.

    `papers`: what papers found on tasks that are not ours; `notes`: the notes' table.
    """

    gaps: dict[Measure, pd.DataFrame]
    networks: pd.DataFrame
    departures: pd.DataFrame | None
    papers: pd.DataFrame | None
    notes: pd.DataFrame | None
    steps: pd.DataFrame

    def by_heading(self) -> dict[str, pd.DataFrame]:
        """In the order of the page."""
        found = {measure.heading: table for measure, table in self.gaps.items()}
        found[NETWORKS] = self.networks
        optional = {DEPARTURES: self.departures, PAPERS: self.papers, NOTES: self.notes}
        found |= {h: t for h, t in optional.items() if t is not None and len(t)}
        return found | {STEPS: self.steps}


def measure_table(
    runs: pd.DataFrame,
    rows: list[str],
    measure: Measure,
    papers: tuple[PaperTable, ...] = (),
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
        if papers and measure.published:
            alike = runs[matching(runs, rows, cell.key)]
            settings = settings_like(alike if len(alike) else runs, dict(zip(rows, cell.key)))
            row |= published_columns(papers, measure.published, settings)
        table.append(row)
    published = [f"published {column}" for column in ("plain", "residual", "gap")]
    return without_empty(pd.DataFrame(table), published)


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
    finished = networks[networks["status"] == Status.FINISHED]
    known = finished[measure.of_error.column].notna()
    if 0 < known.sum() < len(finished):
        parts.append("some without this split")
    if lost := int(known.sum() - np.isfinite(finished[measure.column][known]).sum()):
        parts.append(f"{lost} without a finite loss")
    return ", ".join(parts) or "missing"


def show(value: Mean, measure: Measure) -> str:
    """`12.34 ± 0.56 (3)`: percent for errors, n seeds in brackets."""
    std = value.std if value.std > 1e-9 * value.mean else 0.0  # of equal numbers, up to rounding
    spread = "" if math.isnan(value.std) else f" ± {measure.show(std)}"
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


def networks_table(
    runs: pd.DataFrame, rows: list[str], compared: dict[str, Comparison]
) -> pd.DataFrame:
    """Name and size of every network; recipe and departures only where networks differ in them."""
    table = []
    for (*values, residual), group in runs.groupby([*rows, "residual"], dropna=False, sort=True):
        row: dict[str, Any] = dict(zip(map(short, rows), values))
        row["network"] = network_kind(residual)
        row["name"] = group["network"].iloc[0]
        row["parameters"] = f"{int(group['parameters'].iloc[0]):,}"
        row["recipe"] = "; ".join(dict.fromkeys(group["recipe.name"].map(str)))
        found = [compared[directory] for directory in group.index]
        names = dict.fromkeys(c.protocol.name for c in found if c.protocol)
        count = len({departure for comparison in found for departure in comparison.departures})
        row["departures"] = f"{count or 'none'} from {', '.join(names)}" if names else "-"
        table.append(row)
    constant = ("recipe", "departures")  # said once, in the lines above all tables
    found = pd.DataFrame(table)
    return found.drop(columns=[name for name in constant if found[name].nunique() == 1])
