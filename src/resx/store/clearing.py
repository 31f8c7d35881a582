"""Making room for a new attempt at a run, without touching anything that is not the run's."""

import logging
import time
from pathlib import Path

from resx.store.files import (
    ANALYSES,
    ANALYSIS_FILES,
    ASIDE,
    CLAIM,
    EVENTS,
    HYDRA,
    LOCK,
    LOG,
    MLFLOW,
    RESULTS,
    SNAPSHOTS,
    is_own,
    step_of,
)

log = logging.getLogger(__name__)


def clear(directory: Path, outputs: Path) -> None:
    """Forget an earlier attempt, its snapshots and the analyses of it, all but its log.

    And but where MLflow mirrors it, which a tracker that is to start anew forgets itself.

    A directory with anything else in it was not made by a training: it is moved aside, whole.
    """
    if foreign := sorted(p.name for p in directory.iterdir() if not is_own(p)):
        move_aside(directory, outputs, f"not only a run's files ({foreign[0]} ...)")
        return
    for path in directory.iterdir():
        if path.name not in (LOG, LOCK, CLAIM, MLFLOW, HYDRA, ANALYSES, SNAPSHOTS):
            path.unlink()
    for path in (directory / SNAPSHOTS).glob("*.pt"):
        if step_of(path) is not None:
            path.unlink()
    for folder in (directory / ANALYSES).glob("*/"):
        if not folder.is_symlink():
            clear_analysis(folder)


def clear_analysis(folder: Path) -> None:
    """Delete the files that an analysis writes, and no other."""
    for name in ANALYSIS_FILES:
        (folder / name).unlink(missing_ok=True)
    for path in folder.glob(f"{EVENTS}*"):
        path.unlink()


def move_aside(directory: Path, outputs: Path, reason: str, odd: bool = False) -> None:
    """All but what this process has just begun; out of the runs, or it would count as one.

    Or only what is `odd`: a folder or a named pipe where a file has to be.
    """
    root = directory.parent if outputs == directory else outputs
    aside = root / ASIDE / f"{directory.name}-{time.time_ns()}"
    moved = [p for p in directory.iterdir() if p.name not in (LOCK, CLAIM, LOG, HYDRA)]
    if odd:
        moved = [p for p in moved if p.name in RESULTS and not p.is_file()]
    if moved or not odd:
        aside.mkdir(parents=True)
        for path in moved:
            path.rename(aside / path.name)
        log.warning("%s: %s, so moved to %s", directory, reason, aside)
