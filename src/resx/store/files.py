"""The names of a run's files: nothing else in a run directory is written or deleted."""

from pathlib import Path

CHECKPOINT, PREVIOUS_CHECKPOINT = "checkpoint.pt", "checkpoint.previous.pt"
CONFIG, RECORDS, SUMMARY = "config.yaml", "metrics.jsonl", "summary.json"
LOG, LOCK, HYDRA = "train.log", ".lock", ".hydra"
ANALYSES = "analyses"  # a folder for the results of each analysis of this run
EXPORTS = ("resx.pt", "torchvision.pt", "akamaster.pt")
RESULTS = (CONFIG, RECORDS, SUMMARY, CHECKPOINT, PREVIOUS_CHECKPOINT, *EXPORTS)  # of a training
HYDRA_FILES = ("config.yaml", "hydra.yaml", "overrides.yaml")
ANALYSIS_FILES = ("rows.csv", "summary.json", "figure.png", "figure.pdf", "figure.svg")
EVENTS = "events.out.tfevents."  # TensorBoard's files begin so


def is_own(path: Path) -> bool:
    """Whether a training makes an entry of this name and kind."""
    name = path.name.removesuffix(".tmp")
    if path.is_symlink():
        return False
    if path.is_dir():
        return name in (HYDRA, ANALYSES)
    return name in (*RESULTS, LOG, LOCK) or name.startswith(EVENTS)
