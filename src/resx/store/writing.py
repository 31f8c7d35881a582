"""The one way in which a file under `outputs/` is replaced: aside, flushed, renamed."""

import errno
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def replace_file(path: Path, write: Callable[[BinaryIO], object], suffix: str = ".tmp") -> None:
    """Have `write` fill the file, so that no reader and no kill ever sees half of it.

    What stood at `path` is replaced, not written through, if it is a link. Where several processes
    may write the same file, each needs a `suffix` of its own (`own_suffix`). Raises OSError,
    also for a full disk; then the file that was there stays as it was.
    """
    set_aside(path, write, suffix).replace(path)
    flush_directory(path.parent)


def own_suffix() -> str:
    """For the file of this process beside one that others, and other hosts, write as well."""
    return f".{secrets.token_hex(4)}.tmp"


def replace_text(path: Path, text: str) -> None:
    """`replace_file` for text."""
    replace_file(path, lambda file: file.write(text.encode()))


def set_aside(path: Path, write: Callable[[BinaryIO], object], suffix: str = ".tmp") -> Path:
    """The flushed file beside `path`, for the caller to rename."""
    fresh = path.with_name(path.name + suffix)
    fresh.unlink(missing_ok=True)  # left by a kill; "x" below then follows no link
    try:
        with fresh.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
    except (OSError, RuntimeError) as error:
        fresh.unlink(missing_ok=True)
        raise _named(error, path) from error
    return fresh


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """An error of writing at or below `path` says where: Python's own says so of opening alone.

    TensorBoard writes in a thread, whose errors are raised again in the thread that waits for it.
    They are no news then, and not printed before.
    """
    hook = threading.excepthook
    threading.excepthook = lambda raised: None if _is_of_disk(raised) else hook(raised)
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        raise _named(error, path) from error
    finally:
        threading.excepthook = hook


def _is_of_disk(raised: threading.ExceptHookArgs) -> bool:
    return isinstance(raised.exc_value, OSError)


def _named(error: OSError | RuntimeError, path: Path) -> OSError:
    """With the path. torch's zip writer hides what went wrong behind a position in the file."""
    cause: BaseException | None = error
    while cause is not None and not (isinstance(cause, OSError) and cause.errno):
        cause = cause.__cause__ or cause.__context__
    if not isinstance(cause, OSError) or cause.errno is None:
        return OSError(f"cannot write {path}: {next(iter(str(error).splitlines()), 'no reason')}")
    full = cause.errno in (errno.ENOSPC, errno.EDQUOT)
    return OSError(cause.errno, "the disk is full" if full else cause.strerror, str(path))


def flush_directory(directory: Path) -> None:
    """Have the renames in it survive a power cut."""
    if os.name == "posix":  # elsewhere a directory cannot be opened
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
