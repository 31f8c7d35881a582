"""Checkpoints that survive a kill at any moment: written aside, flushed, renamed."""

import logging
import os
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from resx.errors import RequestError

log = logging.getLogger(__name__)

NAME, PREVIOUS = "checkpoint.pt", "checkpoint.previous.pt"


def save(directory: Path, state: dict[str, Any]) -> None:
    """Write `state` (plain types and tensors) as the newest checkpoint, keeping the one before.

    Raises OSError if the disk is full; the checkpoints that were there stay as they were.
    """
    newest = directory / NAME
    fresh = _written_aside(newest, state)
    if newest.exists():
        newest.replace(directory / PREVIOUS)
    fresh.replace(newest)
    _flush_directory(directory)


def write(path: Path, state: dict[str, Any]) -> None:
    """Write one file, or leave what was there. Raises OSError if the disk is full."""
    _written_aside(path, state).replace(path)


def _written_aside(path: Path, state: dict[str, Any]) -> Path:
    fresh = path.with_name(f"{path.name}.tmp")
    try:
        with fresh.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
    except (OSError, RuntimeError) as error:  # torch's zip writer reports a full disk as the latter
        fresh.unlink(missing_ok=True)
        raise OSError(f"cannot write {path}: {str(error).splitlines()[0]}") from error
    return fresh


def load_newest(directory: Path) -> dict[str, Any] | None:
    """The newest undamaged checkpoint of a run, None if there is none."""
    for name in (NAME, PREVIOUS):
        path = directory / name
        if path.exists():
            try:
                return load(path)
            except RequestError as error:
                log.warning("%s; trying the one before it", error)
    return None


def load(path: Path) -> dict[str, Any]:
    """A checkpoint or state dict on the CPU; runs no code from the file.

    Raises `RequestError` for a file that is missing, damaged or no checkpoint.
    """
    if not path.is_file():
        raise RequestError(f"{path}: no such file")
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if damaged := archive.testzip():  # torch itself does not look at the checksums
                    raise RequestError(f"{path}: damaged ({damaged} fails its checksum)")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a pickle that it then refuses or reads
            state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, zipfile.BadZipFile, ValueError) as error:
        if isinstance(error, RequestError):
            raise
        raise RequestError(f"{path}: truncated, or not a checkpoint") from error
    except pickle.UnpicklingError as error:
        raise RequestError(f"{path}: not a checkpoint of plain tensors and numbers") from error
    if not isinstance(state, dict):
        raise RequestError(f"{path}: holds a {type(state).__name__}, not a checkpoint")
    return state


def _flush_directory(directory: Path) -> None:
    if os.name == "posix":  # elsewhere a directory cannot be opened
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
