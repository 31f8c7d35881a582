"""Checkpoints that survive a kill at any moment, and whose reading runs no code."""

import logging
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from resx.errors import RequestError
from resx.store.files import CHECKPOINT, CHECKPOINTS, PREVIOUS_CHECKPOINT
from resx.store.writing import flush_directory, replace_file, set_aside

log = logging.getLogger(__name__)


def save(directory: Path, state: dict[str, Any]) -> None:
    """Write `state` (plain types and tensors) as the newest checkpoint, keeping the one before.

    Raises OSError if the disk is full; the checkpoints that were there stay as they were.
    """
    newest = directory / CHECKPOINT
    fresh = set_aside(newest, lambda file: torch.save(state, file))
    if newest.exists():
        newest.replace(directory / PREVIOUS_CHECKPOINT)
    fresh.replace(newest)
    flush_directory(directory)


def write(path: Path, state: dict[str, Any]) -> None:
    """Write one file of tensors, or leave what was there. Raises OSError if the disk is full."""
    replace_file(path, lambda file: torch.save(state, file))


def evaluated_weights(saved: dict[str, Any]) -> dict[str, torch.Tensor]:
    """A checkpoint's weights, with batch norm's statistics as its last evaluation had them.

    Training goes on from its own running averages. A checkpoint between two evaluations has only
    those.
    """
    state = saved["state"]
    weights: dict[str, torch.Tensor] = state["model"] | state.get("statistics", {})
    return weights


def load_newest(directory: Path) -> dict[str, Any] | None:
    """The newest undamaged checkpoint of a run, None if there is none."""
    for name in CHECKPOINTS:
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
    except RequestError:
        raise
    except (RuntimeError, EOFError, OSError, zipfile.BadZipFile, ValueError) as error:
        raise RequestError(f"{path}: truncated, or not a checkpoint") from error
    except pickle.UnpicklingError as error:
        raise RequestError(f"{path}: not a checkpoint of plain tensors and numbers") from error
    if not isinstance(state, dict):
        raise RequestError(f"{path}: holds a {type(state).__name__}, not a checkpoint")
    return state
