"""A report as one HTML page that needs no network; what lies beside it is linked."""

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from jinja2 import Environment, PackageLoader, select_autoescape

from resx.plotting import Drawn
from resx.report.findings import Report
from resx.report.labels import network_kind
from resx.report.pictures import picture
from resx.report.run_list import Cell, CellKey, as_yaml, listed_runs, shared_settings
from resx.report.tables import STEPS

KINDS = (network_kind(False), network_kind(True))
LONG = 40  # characters: a longer text breaks, a shorter one only on a phone


class PageCell(NamedTuple):
    """`anchor` names the runs that it counts, empty if there are none."""

    text: str
    anchor: str = ""

    @property
    def is_long(self) -> bool:
        return len(self.text) > LONG


class PageTable(NamedTuple):
    """`csv` is the file with its numbers, empty without one."""

    heading: str
    columns: list[str]
    rows: list[list[PageCell]]
    csv: str


def page(report: Report, figures: list[Drawn], path: Path) -> str:
    """Everything is inside: style, figures as SVG with their values, the settings of all runs."""
    environment = Environment(
        loader=PackageLoader("resx.report"), autoescape=select_autoescape(["html", "j2"])
    )
    runs, rows = report.selected.runs, report.selected.rows
    cells = listed_runs(runs, rows, path)
    protocols = [c.protocol for c in report.compared.values() if c.protocol]
    return environment.get_template("page.html.j2").render(
        report=report,
        selection=report.selected.selection,
        tables=page_tables(report, cells),
        figures=[(figure, picture(figure.svg, figure.title)) for figure in figures],
        cells=list(cells.values()),
        shared=as_yaml(shared_settings(runs["config"])),
        skipped=report.selected.skipped,
        commits=_distinct(runs["commit"]),
        versions=_distinct(runs["resx"]),
        results=_distinct(runs["results"]),
        papers=sorted({f"{p.title.split(',')[0]}, arXiv:{p.arxiv}" for p in protocols}),
    )


def page_tables(report: Report, cells: dict[CellKey, Cell]) -> list[PageTable]:
    """The report's tables; each cell of a network leads to its runs.

    But not of networks that are judged at their best setting: their runs stand in many cells.
    """
    files = {measure.heading: f"{measure.column}.csv" for measure in report.tables.gaps}
    files |= {STEPS: "steps.csv"}
    count = len(report.selected.rows)
    return [
        PageTable(
            heading,
            list(map(str, table.columns)),
            [
                _row(dict(zip(table.columns, values)), count, cells)
                for values in table.itertuples(index=False)
            ],
            files.get(heading, ""),
        )
        for heading, table in report.tables.by_heading().items()
    ]


def _row(row: dict[str, Any], count: int, cells: dict[CellKey, Cell]) -> list[PageCell]:
    """`count` values name the row; columns of a network, or the word for one, are linked."""
    key = tuple(map(str, list(row.values())[:count]))
    anchors = {kind: cells[key, kind].anchor for kind in KINDS if (key, kind) in cells}
    return [
        PageCell(str(value), anchors.get(str(value) if name == "network" else name, ""))
        for name, value in row.items()
    ]


def _distinct(column: "pd.Series[Any]") -> list[str]:
    return sorted(map(str, column.dropna().unique()))
