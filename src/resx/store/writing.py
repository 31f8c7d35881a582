"""The one way in which a file under `outputs/` is replaced: aside, flushed, renamed."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def replace_file(path: Path, write: Callable[[BinaryIO], object], suffix: str = ".tmp") -> None:
    """Have `write` fill the file, so that no reader and no kill ever sees half of it.

    What stood at `path` is replaced, not written through, if it is a link. Where several processes
    may write the same file, each needs a `suffix` of its own. Raises OSError, also for a full
    disk; then the file that was there stays as it was.
    """
    set_aside(path, write, suffix).replace(path)
    flush_directory(path.parent)


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
    except (OSError, RuntimeError) as error:  # torch's zip writer reports a full disk as the latter
        fresh.unlink(missing_ok=True)
        raise OSError(f"cannot write {path}: {str(error).splitlines()[0]}") from error
    return fresh


def flush_directory(directory: Path) -> None:
    """Have the renames in it survive a power cut."""
    if os.name == "posix":  # elsewhere a directory cannot be opened
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
