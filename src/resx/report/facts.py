"""What a reader must know before any number: images, training, machines, runs."""

from collections.abc import Callable
from typing import Any

import pandas as pd

COLUMNS = ["data.name", "data.image_size", "images", "test_images", "recipe.name", "recipe.steps"]
COLUMNS += ["recipe.batch_size", "precision", "device_type", "hardware", "capability", "threads"]
COLUMNS += ["torch"]
SHOWN = 3  # different ones of a kind, before they are only counted


def facts_of(runs: pd.DataFrame, rows: list[str]) -> dict[str, str]:
    """A line by its name: data, training, machine, runs."""
    networks = runs.groupby([*rows, "residual"], dropna=False).ngroups
    known = [
        {str(k): v for k, v in run.items()}
        for run in runs[COLUMNS].drop_duplicates().to_dict("records")
    ]
    seeds = runs["seed"].nunique()
    return {
        "data": _distinct(known, _data),
        "training": _distinct(known, _training),
        "machine": _distinct(known, _machine),
        "runs": f"{len(runs)} runs of {networks} networks, {seeds} seed{'s' * (seeds > 1)}",
    }


def _distinct(runs: list[dict[str, Any]], describe: Callable[[dict[str, Any]], str]) -> str:
    found = list(dict.fromkeys(map(describe, runs)))
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return "; ".join(found[:SHOWN]) + more


def _data(run: dict[str, Any]) -> str:
    size = run["data.image_size"]
    tested = "" if pd.isna(run["test_images"]) else f" and {int(run['test_images']):,} test"
    return (
        f"{run['data.name']}: {int(run['images']):,} training{tested} images of {size} x {size}"
        f" pixels"
    )


def _training(run: dict[str, Any]) -> str:
    steps, batch = int(run["recipe.steps"]), int(run["recipe.batch_size"])
    return f"{steps:,} steps of {batch} images (recipe {run['recipe.name']}, {run['precision']})"


def _machine(run: dict[str, Any]) -> str:
    """Of runs of earlier versions, which recorded less, what is known."""
    parts = [f"{run['device_type']} {run['hardware']}"]
    parts += [f"instruction set {run['capability']}"] if isinstance(run["capability"], str) else []
    if not pd.isna(run["threads"]):
        parts.append(f"{int(run['threads'])} thread{'s' * (run['threads'] > 1)}")
    return ", ".join([*parts, f"torch {run['torch']}"])
