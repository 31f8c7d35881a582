"""The runs behind a report's cells: where they lie, their settings, and how each was typed."""

import os
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pandas as pd
import yaml

from resx.config.settings import flatten
from resx.report.labels import as_key, in_order, network_kind, short
from resx.report.measures import CLEAN_ERROR, TEST_ERROR
from resx.report.mixing import SILENT
from resx.store.files import HYDRA
from resx.store.parsing import parsed

Settings = dict[str, Any]


class ListedRun(NamedTuple):
    """`link` leads from the page to the directory; `settings` are those that not all runs share."""

    directory: str
    link: str
    seed: int
    status: str
    errors: str
    settings: str
    command: str


class Cell(NamedTuple):
    """The runs of one network, as a row's plain or residual column counts them."""

    anchor: str
    title: str
    runs: list[ListedRun]


CellKey = tuple[tuple[str, ...], str]  # values of the rows as they are written, kind of network


def listed_runs(runs: pd.DataFrame, rows: list[str], page: Path) -> dict[CellKey, Cell]:
    """By the values of their row and the kind of network, in the order of the tables."""
    shared = shared_settings(runs["config"])
    groups = runs.groupby([*rows, "residual"], dropna=False, sort=False)
    found = sorted(
        ((as_key(key), group) for key, group in groups),
        key=lambda item: tuple(map(in_order, item[0])),
    )
    cells = {}
    for number, ((*values, residual), group) in enumerate(found):
        kind = network_kind(residual)
        title = ", ".join(f"{short(row)} {value}" for row, value in zip(rows, values))
        listed = [_listed(d, run, shared, page) for d, run in group.sort_values("seed").iterrows()]
        key = tuple(map(str, values)), kind
        cells[key] = Cell(f"runs-{number}", f"{kind}, {title}", listed)
    return cells


def shared_settings(configs: Iterable[Settings]) -> Settings:
    """The flat settings whose values all runs have."""
    first, *others = (flatten(config) for config in configs)
    missing = object()
    return {k: v for k, v in first.items() if all(o.get(k, missing) == v for o in others)}


def as_yaml(settings: Settings) -> str:
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in settings.items()}
    text: str = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
    return text


def relative_link(target: Path, page: Path) -> str:
    """From the page's folder, as a browser reads it."""
    return quote(Path(os.path.relpath(target, page.parent)).as_posix())


def _listed(directory: Any, run: "pd.Series[Any]", shared: Settings, page: Path) -> ListedRun:
    own = {k: v for k, v in flatten(run["config"]).items() if k not in shared and k != "seed"}
    told = {k: v for k, v in own.items() if k not in SILENT and not k.startswith("study.")}
    errors = (
        f"{name} {measure.show(run[measure.column])} %"
        for name, measure in (("training", CLEAN_ERROR), ("test", TEST_ERROR))
        if not pd.isna(run[measure.column])
    )
    return ListedRun(
        directory=str(directory),
        link=relative_link(Path(str(directory)), page),
        seed=int(run["seed"]),
        status=str(run["status"]),
        errors=", ".join(errors),
        settings=", ".join(f"{k}={'null' if v is None else v}" for k, v in told.items()),
        command=typed_command(Path(str(directory))),
    )


def typed_command(directory: Path) -> str:
    """What makes this run again, from what Hydra noted; empty if that is not there."""
    try:
        typed = parsed((directory / HYDRA / "overrides.yaml").read_text())
    except (OSError, ValueError, yaml.YAMLError):
        return ""
    if not isinstance(typed, list):
        return ""
    elsewhere = ("outputs=", "force=", "device=", "tracker=")  # where, not what
    return shlex.join(
        ["resx", "train", *(t for t in map(str, typed) if not t.startswith(elsewhere))]
    )
