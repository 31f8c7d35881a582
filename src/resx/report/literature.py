"""Published figures as a report shows them: beside ours, or in a table of their own."""

from typing import Any

import pandas as pd

from resx.config.settings import flatten
from resx.reference.papers import PaperNetwork, PaperTable, paper_tables
from resx.reference.published import PublishedError
from resx.report.departures import Comparison, settings_of
from resx.report.measures import TEST_ERROR
from resx.report.selection import DEFAULT
from resx.store.summary import Status

UNVERIFIED = " (unverified)"
TABLE_2, TABLE_3 = "HE15-T2", "HE15-T3"  # ImageNet, ten crops: the notes' table


def is_papers_task(runs: pd.DataFrame, table: PaperTable) -> bool:
    """Whether all runs are of the paper's data set, all of its images, at the paper's size."""
    task = table.task
    same_data = (runs["data.name"] == table.data) & (runs["data.image_size"] == task.image_size)
    return bool((same_data & runs["images"].isin(task.images)).all())


def settings_like(networks: pd.DataFrame, row: dict[str, Any]) -> dict[str, Any]:
    """Flat settings of a cell: those of one of these runs, but for what the row says."""
    named = {key: None if value == DEFAULT else value for key, value in row.items()}
    return flatten(networks.iloc[0]["config"]) | named


def published_columns(
    tables: tuple[PaperTable, ...], split: str, settings: dict[str, Any]
) -> dict[str, str]:
    """Plain, residual and gap of the twins that a row's settings describe."""
    twins = (settings | {"residual": residual} for residual in (False, True))
    plain, residual = (
        next((figure for table in tables if (figure := table.figure(split, twin))), None)
        for twin in twins
    )
    return {
        "published plain": quote(plain),
        "published residual": quote(residual),
        "published gap": quote_gap(plain, residual),
    }


def quote(published: PublishedError | None) -> str:
    """`13.23`, `6.61 ± 0.16`, `> 60.00` for a bound, `-` where the paper gives nothing."""
    if published is None:
        return "-"
    bound = "> " if published.is_bound else ""
    spread = "" if published.std is None else f" ± {TEST_ERROR.show(published.std)}"
    mark = UNVERIFIED * (not published.verified)
    return f"{bound}{TEST_ERROR.show(published.error)}{spread}{mark}"


def quote_gap(plain: PublishedError | None, residual: PublishedError | None) -> str:
    if plain is None or residual is None or residual.is_bound:
        return "-"
    bound = "> " if plain.is_bound else ""
    return f"{bound}{TEST_ERROR.show_difference(plain.error - residual.error)}"


def papers_table(tables: tuple[PaperTable, ...]) -> pd.DataFrame | None:
    """What papers found on their own tasks, a row a network; None without tables."""
    rows = [
        {
            "source": table.title,
            "data": table.task.label,
            "network": network.name,
            "test error (%)": _in_full(network.figures.get("test")),
            "training error (%)": _in_full(network.figures.get("train")),
            "note": table.note,
        }
        for table in tables
        for network in table.networks
    ]
    if not rows:
        return None
    return without_empty(pd.DataFrame(rows), ["training error (%)", "note"])


def without_empty(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Without those of the columns that say nothing in any row."""
    empty = [c for c in columns if c in table and table[c].isin(["-", ""]).all()]
    return table.drop(columns=empty)


def _in_full(published: PublishedError | None) -> str:
    """As `quote`, with the number of runs and the best of them where the paper says so."""
    text = quote(published)
    if published is None:
        return text
    text += f" ({published.runs})" if published.runs else ""
    if published.best is not None and published.best != published.error:
        text += f", best {TEST_ERROR.show(published.best)}"
    return text


def sources(tables: tuple[PaperTable, ...]) -> list[str]:
    """Where the published figures stand: source and protocol, once each."""
    found: dict[str, None] = {}
    for table in tables:
        for network in table.networks:
            for split, figure in network.figures.items():
                bound = "; fail: above 20 %" if figure.is_bound and "fail" in figure.source else ""
                found[f"{table.title}, {split}: {figure.source}; {figure.protocol}{bound}"] = None
    return list(found)


def notes_table(runs: pd.DataFrame, compared: dict[str, Comparison]) -> pd.DataFrame:
    """The notes' table (5.1); ours only of the paper's networks, and under its protocol."""
    tables = paper_tables()
    faithful = runs[[compared[directory].is_faithful for directory in runs.index]]
    faithful = faithful[faithful["status"] == Status.FINISHED]
    if not is_papers_task(runs, tables[TABLE_2]):
        faithful = runs[:0]
    rows = []
    for depth in (18, 34, 50, 101, 152):
        table = tables[TABLE_2 if depth <= 34 else TABLE_3]
        block = "basic" if depth <= 34 else "bottleneck"
        network = {"model.name": "resnet", "depth": depth, "block": block, "layout": "auto"}
        network |= {"model.shortcut": "A" if depth <= 34 else "B"}
        twins = (network | {"residual": residual} for residual in (False, True))
        plain, residual = (table.figure("test", twin) for twin in twins)
        row = {"depth": depth, "published plain": quote(plain)}
        row |= {"published ResNet": quote(residual), "published gap": quote_gap(plain, residual)}
        for column, kind in (("ours plain", False), ("ours ResNet", True)):
            errors = _errors_of(faithful, table.networks_like(network | {"residual": kind}))
            mean = TEST_ERROR.show(errors.mean())
            row[column] = f"{mean} ({len(errors)})" if len(errors) else "-"
        rows.append(row)
    return pd.DataFrame(rows)


def _errors_of(runs: pd.DataFrame, networks: list[PaperNetwork]) -> "pd.Series[float]":
    """Test errors of the runs whose own settings are those of one of these networks."""
    ours = [any(n.is_one(settings_of(run)) for n in networks) for _, run in runs.iterrows()]
    return runs[pd.Series(ours, runs.index, dtype=bool)][TEST_ERROR.column]
