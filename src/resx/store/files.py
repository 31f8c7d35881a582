"""The names of a run's files: nothing else in a run directory is written or deleted."""

import re
from pathlib import Path

CHECKPOINT, PREVIOUS_CHECKPOINT = "checkpoint.pt", "checkpoint.previous.pt"
CHECKPOINTS = (CHECKPOINT, PREVIOUS_CHECKPOINT)  # the newest first
CONFIG, RECORDS, SUMMARY = "config.yaml", "metrics.jsonl", "summary.json"
LOG, LOCK, CLAIM, HYDRA = "train.log", ".lock", ".claim", ".hydra"
ANALYSES = "analyses"  # a folder for the results of each analysis of this run
ASIDE = "aside"  # a folder of the store for what a new attempt at a run had to make room for
SNAPSHOTS = "snapshots"  # a folder for weights that were kept along training
EXPORTS = ("resx.pt", "torchvision.pt", "akamaster.pt")
RESULTS = (CONFIG, RECORDS, SUMMARY, CHECKPOINT, PREVIOUS_CHECKPOINT, *EXPORTS)  # of a training
HYDRA_FILES = ("config.yaml", "hydra.yaml", "overrides.yaml")
ANALYSIS_FILES = ("rows.csv", "summary.json", "figure.png", "figure.pdf", "figure.svg")
EVENTS = "events.out.tfevents."  # TensorBoard's files begin so
MLFLOW = "mlflow.json"  # the id of the run's mirror there


def is_own(path: Path) -> bool:
    """Whether a training makes an entry of this name and kind."""
    name = path.name.removesuffix(".tmp")
    if path.is_symlink():
        return False
    if path.is_dir():
        return name in (HYDRA, ANALYSES, SNAPSHOTS)
    return name in (*RESULTS, LOG, LOCK, CLAIM, MLFLOW) or name.startswith(EVENTS)


def snapshot_name(step: int) -> str:
    return f"step-{step:06d}.pt"


def step_of(path: Path) -> int | None:
    """The step of a snapshot's file; None for any other file, and for a link."""
    found = re.fullmatch(r"step-(\d{6,})\.pt", path.name)
    return int(found[1]) if found and path.is_file() and not path.is_symlink() else None
