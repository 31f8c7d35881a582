"""Published figures as a report shows them: beside ours, and in a table of their own."""

from typing import Any

import pandas as pd

from resx.reference.published import PublishedError, published_error
from resx.report.departures import NONE
from resx.report.measures import TEST_ERROR
from resx.report.selection import DEFAULT
from resx.store.summary import Status

UNVERIFIED = " (unverified)"
TABLE_2, TABLE_3 = "he2015_table2", "he2015_table3"  # ImageNet, ten crops


def published_columns(reference: str, split: str, settings: dict[str, Any]) -> dict[str, str]:
    """Plain, residual and gap of the network that a row's settings describe."""
    depth, shortcut = settings["depth"], settings.get("model.shortcut", DEFAULT)
    option = None if shortcut == DEFAULT else shortcut
    plain, residual = (published_error(reference, split, depth, r, option) for r in (False, True))
    return {
        "published plain": quote(plain),
        "published residual": quote(residual),
        "published gap": quote_gap(plain, residual),
    }


def quote(published: PublishedError | None) -> str:
    """`13.23`, `> 60.00` where the paper gives only a bound, `-` where it gives nothing."""
    if published is None:
        return "-"
    bound = "> " if published.is_bound else ""
    return f"{bound}{TEST_ERROR.show(published.error)}" + UNVERIFIED * (not published.verified)


def quote_gap(plain: PublishedError | None, residual: PublishedError | None) -> str:
    if plain is None or residual is None:
        return "-"
    bound = "> " if plain.is_bound else ""
    return f"{bound}{TEST_ERROR.show_difference(plain.error - residual.error)}"


def sources(reference: str | None, runs: pd.DataFrame) -> list[str]:
    """Where the published figures stand: source and protocol, once each."""
    if reference is None:
        return []
    found: dict[str, None] = {}
    networks = runs[["depth", "residual"]].drop_duplicates()
    for split in ("train", "test"):
        for depth, residual in networks.itertuples(index=False):
            published = published_error(reference, split, depth, residual)
            if published is not None:
                found[f"{split}: {published.source}; {published.protocol}"] = None
    return list(found)


def notes_table(
    runs: pd.DataFrame, departures: dict[str, str], reference: str | None
) -> pd.DataFrame:
    """The notes' table (5.1); ours only of runs that keep to the protocol of its papers."""
    faithful = runs[[departures[directory] == NONE for directory in runs.index]]
    if reference not in (TABLE_2, TABLE_3):
        faithful = runs[:0]
    rows = []
    for depth in (18, 34, 50, 101, 152):
        table = TABLE_2 if depth <= 34 else TABLE_3
        plain, residual = (published_error(table, "test", depth, r) for r in (False, True))
        row = {"depth": depth, "published plain": quote(plain)}
        row |= {"published ResNet": quote(residual), "published gap": quote_gap(plain, residual)}
        finished = faithful[(faithful["depth"] == depth) & (faithful["status"] == Status.FINISHED)]
        for column, kind in (("ours plain", False), ("ours ResNet", True)):
            errors = finished[finished["residual"] == kind][TEST_ERROR.column]
            mean = TEST_ERROR.show(errors.mean())
            row[column] = f"{mean} ({len(errors)})" if len(errors) else "-"
        rows.append(row)
    return pd.DataFrame(rows)
