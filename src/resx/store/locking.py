"""Owning a run directory: one process at a time, and none through a link."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from resx.errors import BusyError, RequestError
from resx.store.files import ANALYSES, HYDRA, LOCK, LOG, RESULTS, SNAPSHOTS

PATIENCE = 0.5  # seconds; a look at whether a run is locked takes the lock for a moment


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Own the folder of the lock file `path`. Raises `BusyError` while another process does."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=PATIENCE)
    except Timeout:
        raise BusyError(f"{path.parent} is being trained by another process") from None
    try:
        yield
    finally:
        lock.release()


def refuse_links(directory: Path, outputs: Path) -> None:
    """Raises `RequestError` if a run directory, or a file of its names, leads elsewhere.

    Nor may what is opened for writing at once be a named pipe, which would be waited for.
    """
    below = [place for place in directory.parents if outputs in place.parents]
    own = (*RESULTS, LOG, LOCK, HYDRA, ANALYSES, SNAPSHOTS)
    for place in (directory, *below, *(directory / name for name in own)):
        if place.is_symlink():
            raise RequestError(f"{place} is a link; nothing is written or deleted through one")
        if place.name in (LOG, LOCK) and place.exists() and not place.is_file():
            raise RequestError(f"{place} is no file; delete it")


def is_held(path: Path) -> bool:
    """Whether a process holds the lock file `path`; nothing is written to find out.

    So it can also be asked on a disk that cannot be written.
    """
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
