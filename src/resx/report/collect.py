"""Run directories as tables: a row a run, a row a record."""

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from resx.config.schema import DataConfig, RecipeConfig
from resx.config.settings import flatten
from resx.errors import DamagedError, RequestError
from resx.store.files import CONFIG, RECORDS, SUMMARY
from resx.store.records import SPLITS, Record
from resx.store.run import Run
from resx.store.store import run_directories

DEFAULT_CLASSES = 10  # where an old configuration does not say: of digits and CIFAR-10
RECORD = {"step": "int64", "split": "str", "loss": "float64", "error": "float64"}


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
    curves: dict[str, list[Any]] = {name: [] for name in (*RECORD, "directory")}
    skipped: dict[str, str] = {}
    for directory in directories:
        name = str(directory)
        try:
            row, records = read(Run(directory))
        except DamagedError as error:
            skipped[name] = str(error)
            continue
        # What is as it was written, and yet no run of this version: a report of the others goes on.
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            first_line = next(iter(str(error).splitlines()), "")
            skipped[name] = f"{type(error).__name__}: {first_line}"
            continue
        rows[name] = row
        for column in RECORD:  # a frame a run would take longer than all else
            curves[column] += [record[column] for record in records]
        curves["directory"] += [name] * len(records)
    runs = pd.DataFrame.from_dict(rows, orient="index")
    return Collected(runs, pd.DataFrame(curves).astype(RECORD | {"directory": "str"}), skipped)


def read(run: Run) -> tuple[dict[str, Any], list[Record]]:
    """A run's row and its records; `config` holds its settings as they are stored."""
    config, summary, records = run.read_contents()
    environment = summary.environment
    row = flatten(config) | settings_of_later_versions(config)
    row |= {"network": summary.network, "status": str(summary.status), "hash": summary.hash}
    row |= {"parameters": summary.parameters, "seconds": summary.seconds}
    row |= {"images": summary.images["train"], "fingerprint": summary.data_fingerprint}
    row |= {"test_images": summary.images.get("test"), "chance": summary.chance or _chance(config)}
    row |= {"results": summary.results, "warmup_end": summary.warmup_end}
    row |= {"hardware": environment.hardware, "commit": environment.git_commit, "config": config}
    row |= {"torch": environment.torch, "peak_memory": summary.peak_memory}
    row |= {"resx": environment.resx or None}
    row |= {"threads": environment.threads, "capability": environment.capability or None}
    row |= {"device_type": summary.device.split(":")[0]}
    for split in SPLITS:
        score = summary.last.get(split)
        row[f"{split}_error"] = score.error if score else float("nan")
        row[f"{split}_loss"] = score.loss if score else float("nan")
    return row, records


def _chance(config: dict[str, Any]) -> float:
    """Of runs of before the summary had it: the error of naming one of equally many classes."""
    return 1 - 1 / (config["data"].get("classes") or DEFAULT_CLASSES)


def settings_of_later_versions(config: dict[str, Any]) -> dict[str, Any]:
    """What a stored configuration does not say because the settings came later, flat.

    Their values are what was done before they came, so that old and new runs can be compared.
    """
    absent: dict[str, Any] = {}
    for group in (DataConfig, RecipeConfig):
        stored = config[group.group.removesuffix(".")]
        complete = group(**stored)
        for item in fields(complete):
            if item.name not in stored:
                before = item.metadata.get("before")
                value = before(complete) if before else getattr(complete, item.name)
                absent[f"{group.group}{item.name}"] = value
    return flatten(absent)


def find_runs(pattern: str) -> list[Path]:
    """Run directories at or below whatever matches a glob, but none that lies within a run.

    Raises `RequestError`, naming the nearest existing folder, if there are none.
    """
    if not pattern.strip("./"):
        raise RequestError(f"runs={pattern}: name run directories, such as 'outputs/runs/**'")
    path = Path(pattern)
    anchor = Path(path.anchor)
    relative = path.relative_to(anchor) if path.is_absolute() else path
    matches = {match for match in anchor.glob(str(relative)) if match.is_dir()}
    # `**` matches every folder on the way down; walking from the topmost ones finds all.
    topmost = [match for match in matches if matches.isdisjoint(match.parents)]
    outside = [top for top in topmost if not any(map(is_run, top.parents))]
    if found := sorted(run for top in outside for run in run_directories(top)):
        return found
    existing = nearest_existing(anchor, relative)
    near = sorted(p.name for p in existing.iterdir() if p.is_dir())[:8]
    content = ", ".join(near) if near else "nothing"
    raise RequestError(f"runs={pattern}: no runs there; {existing}/ has {content}")


def is_run(directory: Path) -> bool:
    """Whether a training made it; a configuration alone may be anyone's."""
    return (directory / CONFIG).is_file() and any(
        (directory / name).is_file() for name in (SUMMARY, RECORDS)
    )


def nearest_existing(anchor: Path, relative: Path) -> Path:
    """How far a path leads before a part of it does not exist, or is a wildcard."""
    existing = anchor
    for part in relative.parts:
        if not (existing / part).is_dir():
            break
        existing /= part
    return existing
