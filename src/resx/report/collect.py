"""Run directories as tables: a row a run, a row a record."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import yaml
from yaml import YAMLError

from resx.config.run_hash import logistics_names
from resx.config.schema import TrainConfig
from resx.config.settings import flatten
from resx.errors import RequestError

SPLITS = ("train_clean", "train", "val", "test")
# Settings that say how or where, or that only repeat what other settings say.
SILENT = logistics_names(TrainConfig) | {"seed", "recipe.name", "model._target_"}
SILENT |= {"model.depth", "model.residual", "model.block", "model.layout"}


class Collected(NamedTuple):
    """`runs`: settings, status and final scores, one row a run, indexed by directory.

    `curves`: directory, step, split, loss, error. `skipped`: directories that cannot be read, with
    the reason.
    """

    runs: pd.DataFrame
    curves: pd.DataFrame
    skipped: dict[str, str]


def collect(directories: Iterable[Path]) -> Collected:
    """Read every run; a damaged or half-written one is skipped and named, never repaired."""
    rows: dict[str, dict[str, Any]] = {}
    curves: list[pd.DataFrame] = []
    skipped: dict[str, str] = {}
    for directory in directories:
        try:
            rows[str(directory)] = _read_run(directory)
            curves.append(_read_curves(directory))
        except (OSError, ValueError, LookupError, TypeError, AttributeError, YAMLError) as error:
            rows.pop(str(directory), None)
            first = next(iter(str(error).splitlines()), "")
            skipped[str(directory)] = f"{type(error).__name__}: {first}"
    columns = ["directory", "step", "split", "loss", "error"]
    every = pd.concat(curves) if curves else pd.DataFrame(columns=columns)
    return Collected(pd.DataFrame.from_dict(rows, orient="index"), every, skipped)


def find_runs(pattern: str) -> list[Path]:
    """Run directories at or below whatever matches a glob.

    Raises `RequestError`, naming the nearest existing folder, if there are none.
    """
    if not pattern.strip("./"):
        raise RequestError(f"runs={pattern}: name run directories, such as 'outputs/runs/**'")
    path = Path(pattern)
    anchor = Path(path.anchor) if path.is_absolute() else Path()
    relative = str(path.relative_to(path.anchor)) if path.is_absolute() else pattern
    matches = [p for p in anchor.glob(relative) if p.is_dir()]
    found = {c.parent for m in matches for c in m.rglob("config.yaml") if _is_run(c)}
    if not found:
        existing = anchor
        for part in Path(relative).parts:
            if not (existing / part).is_dir():
                break
            existing /= part
        near = sorted(p.name for p in existing.iterdir() if p.is_dir())[:8]
        there = ", ".join(near) if near else "nothing"
        raise RequestError(f"runs={pattern}: no runs there; {existing}/ has {there}")
    return sorted(found)


def _is_run(config: Path) -> bool:
    return config.parent.name != ".hydra"


def _read_run(directory: Path) -> dict[str, Any]:
    config = yaml.load((directory / "config.yaml").read_text(), yaml.CSafeLoader)
    summary = json.loads((directory / "summary.json").read_text())
    row = flatten(config)
    row |= {"network": summary["network"], "status": summary["status"]}
    row |= {"parameters": summary["parameters"], "hash": summary["hash"]}
    row |= {"seconds": summary.get("seconds", 0.0), "hardware": summary["environment"]["hardware"]}
    row |= {"commit": summary["environment"]["git_commit"], "config": config}
    row |= {"images": summary["images"]["train"], "fingerprint": summary["data_fingerprint"]}
    row |= {"torch": summary["environment"]["torch"], "peak_memory": summary.get("peak_memory")}
    for split in SPLITS:
        score = summary.get("last", {}).get(split)
        row[f"{split}_error"] = score["error"] if score else float("nan")
        row[f"{split}_loss"] = score["loss"] if score else float("nan")
    return row


def _read_curves(directory: Path) -> pd.DataFrame:
    lines = (directory / "metrics.jsonl").read_text().split("\n")[:-1]
    records = [json.loads(line) for line in lines]
    table = pd.DataFrame(records, columns=["step", "split", "loss", "error"])
    return table.assign(directory=str(directory))


def varying(runs: pd.DataFrame) -> list[str]:
    """Settings that decide a result, other than the seed, and differ between these runs."""
    settings = dict.fromkeys(k for c in runs["config"] for k in flatten(c))
    columns = [k for k in settings if k not in SILENT and not k.startswith("study.")]
    columns.append("fingerprint")  # of the images
    return [k for k in columns if k in runs and runs[k].map(repr).nunique() > 1]


def of_network(key: str) -> bool:
    return key in ("depth", "block", "layout") or key.startswith("model.")


def refuse_strangers(runs: pd.DataFrame, rows: list[str], in_a_study: bool) -> None:
    """Refuse to average runs that differ in more than what the table's rows and columns tell.

    Rows may differ in settings of their networks that no column shows, such as the width of one
    family among several; those of a study, which says so, in how they were trained too.
    """
    known = {*rows, "residual"}
    strange = dict.fromkeys(k for _, g in runs.groupby(rows, dropna=False) for k in varying(g))
    if not in_a_study:
        strange |= dict.fromkeys(k for k in varying(runs) if not of_network(k))
    if told_apart := [key for key in strange if key not in known]:
        told = "; ".join(f"{k}: {_values(runs[k])}" for k in told_apart)
        raise RequestError(f"these runs do not belong together, they differ in {told}")


def _values(column: "pd.Series[Any]") -> str:
    values = list(
        dict.fromkeys(
            "none" if pd.isna(v) else f"{v:g}" if isinstance(v, float) else str(v) for v in column
        )
    )
    return ", ".join(values[:4]) + (", ..." if len(values) > 4 else "")
