"""Owning a run directory: one process at a time, and none through a link."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from resx.errors import BusyError, RequestError
from resx.store.claim import HOST, Owner, claimed, is_stale, read, refuse_alive
from resx.store.files import ANALYSES, CLAIM, HYDRA, LOCK, LOG, MLFLOW, RESULTS, SNAPSHOTS

PATIENCE = 0.5  # seconds; a look at whether a run is locked takes the lock for a moment


@contextmanager
def hold(path: Path) -> Iterator[Owner]:
    """Own the folder of the lock file `path`. Raises `BusyError` while another process does.

    An owner on this host that is frozen loses it, as does one on another host that gives no sign of
    life (`claim`).
    """
    claim = path.with_name(CLAIM)
    lock = _acquired(path, claim)
    try:
        refuse_alive(claim)
        with claimed(claim) as owner:
            yield owner
    finally:
        lock.release()


def _acquired(path: Path, claim: Path) -> BaseFileLock:
    lock = FileLock(path)
    before = _file_number(path)
    try:
        return lock.acquire(timeout=PATIENCE).lock
    except Timeout:
        owner = read(claim)
        if owner is None or not is_stale(claim):
            by = owner or "another process"
            raise BusyError(f"{path.parent} is being trained by {by}") from None
    if _file_number(path) == before:  # else somebody else has just taken it over
        path.unlink(missing_ok=True)  # the frozen owner keeps a lock of a file that is no more
    try:
        return FileLock(path).acquire(timeout=PATIENCE).lock
    except Timeout:
        raise BusyError(f"{path.parent} is being trained by another process") from None


def _file_number(path: Path) -> int | None:
    return path.stat().st_ino if path.exists() else None


def refuse_links(directory: Path, outputs: Path) -> None:
    """Raises `RequestError` if a run directory, or a file of its names, leads elsewhere.

    Nor may what is opened for writing at once be a named pipe, which would be waited for.
    """
    below = [place for place in directory.parents if outputs in place.parents]
    own = (*RESULTS, LOG, LOCK, CLAIM, MLFLOW, HYDRA, ANALYSES, SNAPSHOTS)
    for place in (directory, *below, *(directory / name for name in own)):
        if place.is_symlink():
            raise RequestError(f"{place} is a link; nothing is written or deleted through one")
        if place.name in (LOG, LOCK) and place.exists() and not place.is_file():
            raise RequestError(f"{place} is no file; delete it")


def is_held(path: Path) -> bool:
    """Whether a process holds the lock file `path`, or one on another host keeps its claim alive.

    Nothing is written to find out, so it can also be asked on a disk that cannot be written.
    """
    owner = read(claim := path.with_name(CLAIM))
    if owner is not None and (owner.host != HOST or is_stale(claim)):
        return not is_stale(claim)
    if not path.is_file() or path.is_symlink():
        return False
    if os.name == "posix":
        import fcntl

        handle = os.open(path, os.O_RDONLY)
        try:
            # The owner's lock is exclusive: a shared one is to be had only without an owner.
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)  # which gives it back
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False
