"""Joining stores: what another one has and this one lacks is copied; what differs is named."""

import shutil
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from resx.errors import BusyError, DamagedError, RequestError
from resx.store.files import CHECKPOINTS, CLAIM, HYDRA, LOCK, SNAPSHOTS, SUMMARY, is_own
from resx.store.integrity import Contents
from resx.store.run import Run
from resx.store.store import Store
from resx.store.summary import Status

WEIGHTS = (*CHECKPOINTS, SNAPSHOTS)


class Outcome(StrEnum):
    """What became of a run of the other store."""

    COPIED = "copied"
    REPLACED = "replaced an unfinished one"
    EQUAL = "equal here and there"
    KEPT = "finished here, unfinished there"
    UNFINISHED = "unfinished here and there: the one here stays"
    DIFFERENT = "different here and there: the one here stays"
    DAMAGED = "damaged there"
    BUSY = "being trained here: merge again later"


class Merged(NamedTuple):
    """`run` is where it lies, or would lie, in this store; `reason` is empty for what is usual."""

    run: Path
    outcome: Outcome
    reason: str = ""


def merge(source: Store, target: Store, weights: bool = True) -> Iterator[Merged]:
    """Every run of `source`, without `weights` only its records and summary.

    The source is only read. Killed at any moment, it is finished by the same call. Raises
    `RequestError` if the source has no runs, or where this store leads elsewhere through a link.
    """
    runs = source.runs()
    if not runs:
        raise RequestError(f"{source.outputs}: no runs below {source.outputs / 'runs'}")
    for theirs in runs:
        ours = Run(target.outputs / theirs.directory.relative_to(source.outputs), target.outputs)
        try:
            with ours.locked():
                yield _merge_run(theirs, ours, weights)
        except BusyError as error:
            yield Merged(ours.directory, Outcome.BUSY, str(error))


def _merge_run(theirs: Run, ours: Run, weights: bool) -> Merged:
    """A final run is compared by its content, so that a damaged one counts as none."""
    place = ours.directory
    try:
        there = theirs.read_contents()
    except DamagedError as error:
        return Merged(place, Outcome.DAMAGED, str(error))
    summary, damage = ours.assess()
    final = summary.status.is_final and damage is None
    if there.summary.status.is_final and final:
        here = ours.read_contents()
        if _result(here) == _result(there):
            if weights:  # they may have been left out before
                lacking = [name for name in WEIGHTS if not (place / name).exists()]
                _copy([theirs.directory / name for name in lacking], place)
            return Merged(place, Outcome.EQUAL)
        return Merged(place, Outcome.DIFFERENT, _machines(here, there))
    if final:
        return Merged(place, Outcome.KEPT)
    begun = summary.status is not Status.MISSING or damage is not None
    if begun and not there.summary.status.is_final:
        return Merged(place, Outcome.UNFINISHED)
    if begun:
        ours.move_aside("unfinished, and finished in the store that is merged")
    found = [p for p in theirs.directory.iterdir() if is_own(p)]
    left_out = (LOCK, CLAIM, HYDRA, *(() if weights else WEIGHTS))
    _copy([path for path in found if path.name not in left_out], place)
    return Merged(place, Outcome.REPLACED if begun else Outcome.COPIED)


def _result(run: Contents) -> object:
    """All that a report reads, but how long it took."""
    records = [{k: v for k, v in record.items() if k != "seconds"} for record in run.records]
    return run.summary.status, run.summary.final, run.summary.last, records


def _machines(here: Contents, there: Contents) -> str:
    """Equal settings on unlike machines give other bits, which is no error."""
    seen = here.summary.environment, there.summary.environment
    made = [f"{e.capability}, torch {e.torch}, {e.threads} threads" for e in seen]
    return f"made with {made[0]}" if made[0] == made[1] else f"{made[0]} here, {made[1]} there"


def _copy(files: Iterable[Path], target: Path) -> None:
    """Those that are there; the summary, which says that the run is over, comes last."""
    for path in sorted(files, key=lambda p: p.name == SUMMARY):
        if path.is_dir():
            shutil.copytree(path, target / path.name, dirs_exist_ok=True)
        elif path.exists():
            shutil.copyfile(path, target / path.name)
