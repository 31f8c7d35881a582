"""The gap table as people read it: percent, mean +- std (n), the published figures beside."""

import math
from typing import Any

import numpy as np
import pandas as pd

from resx.reference.published import PublishedError, published_error
from resx.statistics import NONE, Cell, Estimate, gap_table

# measure -> (heading, split that a paper publishes it for, whether it is an error)
MEASURES: dict[str, tuple[str, str | None, bool]] = {
    "train_clean_error": ("Training error, clean pass", None, True),
    "train_error": ("Training error, running mean", "train", True),
    "test_error": ("Test error", "test", True),
    "train_clean_loss": ("Training loss, clean pass", None, False),
    "test_loss": ("Test loss", None, False),
}
UNVERIFIED = " (unverified)"
DEFAULT = "default"  # shown for a setting that is left to the network


Planned = tuple[tuple[tuple[Any, ...], bool], ...]


def measure_table(
    runs: pd.DataFrame,
    rows: list[str],
    measure: str,
    reference: str | None,
    planned: Planned = (),
) -> pd.DataFrame:
    """One measure for every row of the study; a planned cell that no run has reads `missing`."""
    _, split, is_error = MEASURES[measure]
    done = runs.assign(**{measure: runs[measure].where(runs["status"] == "finished")})
    table = []
    cells = gap_table(done, rows, measure)
    known = {cell.key for cell in cells}
    absent = dict.fromkeys(key for key, _ in planned if key not in known)
    cells += [Cell(key, NONE, NONE, NONE) for key in absent]
    for cell in sorted(cells, key=lambda c: tuple(in_order(v) for v in c.key)):
        row: dict[str, Any] = dict(zip(map(short, rows), cell.key))
        row |= {
            "plain": _cell(runs, rows, cell, False, is_error, planned),
            "residual": _cell(runs, rows, cell, True, is_error, planned),
            "gap": show_gap(cell.gap, is_error),
        }
        if reference and split and "depth" in rows:
            settings = dict(zip(rows, cell.key))
            row |= _published(reference, split, settings)
        table.append(row)
    return pd.DataFrame(table)


def short(key: str) -> str:
    """`recipe.batch_size` -> `batch_size`, `model.name` -> `model`, as a column's head."""
    return key.removesuffix(".name").rsplit(".", 1)[-1]


def show(value: Estimate, is_error: bool) -> str:
    """`12.34 +- 0.56 (3)`: percent for errors, n seeds in brackets."""
    if value.n == 0:
        return "missing"
    factor, digits = (100, 2) if is_error else (1, 4)
    text = f"{factor * value.mean:.{digits}f}"
    if not math.isnan(value.std):
        text += f" ± {factor * value.std:.{digits}f}"
    return f"{text} ({value.n})"


def show_gap(gap: Estimate, is_error: bool) -> str:
    """Mean and 95 % interval in points, or the mean alone where one seed gives no interval."""
    if gap.n == 0:
        return "-"
    factor, digits = (100, 2) if is_error else (1, 4)
    text = f"{factor * gap.mean:+.{digits}f}"
    if not gap.has_interval:
        return f"{text} (1 seed)"
    return f"{text} [{factor * gap.low:+.{digits}f}, {factor * gap.high:+.{digits}f}]"


def in_order(value: Any) -> tuple[bool, Any]:
    """Numbers by size, then everything else by its text."""
    number = isinstance(value, int | float | np.number) and not pd.isna(value)
    return (not number, value if number else str(value))


def _cell(
    runs: pd.DataFrame,
    rows: list[str],
    cell: Cell,
    residual: bool,
    is_error: bool,
    planned: Planned,
) -> str:
    if planned and (cell.key, residual) not in planned:
        return "-"
    value = cell.residual if residual else cell.plain
    mine = matching(runs, rows, cell.key) & (runs["residual"] == residual)
    statuses = runs[mine]["status"]
    text = show(value, is_error) if value.n else ""
    others = [
        f"{count} {status}"
        for status, count in statuses.value_counts().items()
        if status != "finished"
    ]
    if value.n and value.n < len(statuses) - sum(statuses != "finished"):
        others.append("some without this split")
    return ", ".join([text] * bool(text) + others) or "missing"


def matching(runs: pd.DataFrame, rows: list[str], key: tuple[object, ...]) -> "pd.Series[bool]":
    """Which runs have these values of the settings `rows`."""
    found = pd.Series(True, index=runs.index)
    for name, value in zip(rows, key):
        found &= runs[name].map(str) == str(value)
    return found


def _published(reference: str, split: str, settings: dict[str, Any]) -> dict[str, str]:
    depth, shortcut = settings["depth"], settings.get("model.shortcut", DEFAULT)
    shortcut = None if shortcut == DEFAULT else shortcut
    plain, residual = (published_error(reference, split, depth, r, shortcut) for r in (False, True))
    gap = "-"
    if plain and residual:
        gap = "> " * plain.is_bound + f"{100 * (plain.error - residual.error):+.2f}"
    return {
        "published plain": _quote(plain),
        "published residual": _quote(residual),
        "published gap": gap,
    }


def _quote(published: PublishedError | None) -> str:
    if published is None:
        return "-"
    above = "> " * published.is_bound
    return f"{above}{100 * published.error:.2f}" + ("" if published.verified else UNVERIFIED)


def sources(reference: str | None, runs: pd.DataFrame) -> list[str]:
    """Where the published figures stand: source, protocol, once each."""
    if reference is None:
        return []
    found: dict[str, None] = {}
    for split in ("train", "test"):
        for depth, residual in (
            runs[["depth", "residual"]].drop_duplicates().itertuples(index=False)
        ):
            figure = published_error(reference, split, depth, residual)
            if figure is not None:
                found[f"{split}: {figure.source}; {figure.protocol}"] = None
    return list(found)


def notes_table(runs: pd.DataFrame, departures: dict[str, str]) -> pd.DataFrame:
    """The notes' table (5.1); ours only of runs that keep to the paper's protocol."""
    faithful = runs[[departures.get(d) == "none" for d in runs.index]]
    rows = []
    for depth in (18, 34, 50, 101, 152):
        reference = "he2015_table2" if depth <= 34 else "he2015_table3"
        plain, residual = (published_error(reference, "test", depth, r) for r in (False, True))
        gap = f"{100 * (plain.error - residual.error):+.2f}" if plain and residual else "-"
        row = {"depth": depth, "published plain": _quote(plain)}
        row |= {"published ResNet": _quote(residual), "published gap": gap}
        for name, side in (("ours plain", False), ("ours ResNet", True)):
            mine = faithful[(faithful["depth"] == depth) & (faithful["residual"] == side)]
            errors = mine[mine["status"] == "finished"]["test_error"]
            row[name] = f"{100 * errors.mean():.2f} ({len(errors)})" if len(errors) else "-"
        rows.append(row)
    return pd.DataFrame(rows)


def networks_table(runs: pd.DataFrame, rows: list[str], departures: dict[str, str]) -> pd.DataFrame:
    """Name and parameters of both twins, and how they depart from the paper's protocol."""
    table = []
    for key, group in runs.groupby(rows, dropna=False, sort=True):
        values = key if isinstance(key, tuple) else (key,)
        row: dict[str, Any] = dict(zip(map(short, rows), values))
        for name, residual in (("plain", False), ("residual", True)):
            mine = group[group["residual"] == residual]
            row[name] = mine["network"].iloc[0] if len(mine) else "-"
            row[f"{name} parameters"] = f"{int(mine['parameters'].iloc[0]):,}" if len(mine) else "-"
        row["recipe"] = "; ".join(dict.fromkeys(group["recipe.name"].map(str)))
        told = dict.fromkeys(departures[directory] for directory in group.index)
        if set(told) != {"-"}:
            row["departures from the protocol"] = "; ".join(told)
        table.append(row)
    return pd.DataFrame(table)
