"""Checkpoints that survive a kill at any moment, and whose reading runs no code."""

import logging
import os
import pickle
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from resx.errors import DamagedError, RequestError
from resx.store.files import CHECKPOINT, CHECKPOINTS, PREVIOUS_CHECKPOINT
from resx.store.saved import is_own, refuse_malformed, step_of
from resx.store.writing import flush_directory, replace_file, set_aside

RETRAIN = "resx train with the same settings and force=true trains it again"

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


def write(path: Path, state: dict[str, Any], suffix: str = ".tmp") -> None:
    """Write one file of tensors, or leave what was there, as `replace_file` does."""
    replace_file(path, lambda file: torch.save(state, file), suffix)


def evaluated_weights(saved: dict[str, Any]) -> dict[str, torch.Tensor]:
    """A checkpoint's weights, with batch norm's statistics as its last evaluation had them.

    Training goes on from its own running averages. A checkpoint between two evaluations has only
    those.
    """
    state = saved["state"]
    weights: dict[str, torch.Tensor] = state["model"] | state.get("statistics", {})
    return weights


def load_newest(directory: Path) -> dict[str, Any] | None:
    """The newest undamaged checkpoint of a run, None if there is none at all.

    Says so if it is not the last one. Raises `DamagedError` if none of those that there are can be
    read.
    """
    absent = not os.path.lexists(directory / CHECKPOINT)
    damages = []
    for path, saved in newest(directory):
        if isinstance(saved, DamagedError):
            damages.append(saved)
            continue
        if absent or damages:
            what = damages[0] if damages else f"{directory / CHECKPOINT}: is missing"
            log.warning("%s; %s of step %d takes its place", what, path.name, step_of(saved))
        return saved
    if not damages:
        return None
    raise DamagedError(damages[0].path, f"{damages[0].reason}; {RETRAIN}") from damages[0]


def newest(directory: Path) -> Iterator[tuple[Path, dict[str, Any] | DamagedError]]:
    """The checkpoints of a run, the newest first; of a damaged one what is wrong with it."""
    for name in CHECKPOINTS:
        path = directory / name
        if os.path.lexists(path):
            try:
                saved = load(path)
                if not is_own(saved):
                    raise DamagedError(path, "is damaged: no checkpoint of a run")
                yield path, saved
            except DamagedError as damage:
                yield path, damage


def load(path: Path) -> dict[str, Any]:
    """A checkpoint or state dict on the CPU; runs no code from the file.

    Raises `RequestError` for a file that is missing, `DamagedError` for one that is damaged or no
    checkpoint. What is meant as a checkpoint of resx has all that one must have.
    """
    if not os.path.lexists(path):
        raise RequestError(f"{path}: no such file")
    if not path.is_file():
        raise DamagedError(path, "is no regular file")
    saved = _read(path)
    if is_own(saved):
        try:
            refuse_malformed(saved)
        except (ValueError, RecursionError) as error:
            reason = next(iter(str(error).splitlines()), "nested too deeply")
            raise DamagedError(path, f"is damaged: {reason}") from error
    return saved


def _read(path: Path) -> dict[str, Any]:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                    raise DamagedError(path, "is no checkpoint: torch compresses nothing")
                if damaged := archive.testzip():  # torch itself does not look at the checksums
                    raise DamagedError(path, f"is damaged: {damaged} fails its checksum")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a pickle that it then refuses or reads
            state = torch.load(path, map_location="cpu", weights_only=True)
    except DamagedError:
        raise
    except pickle.UnpicklingError as error:
        raise DamagedError(path, "is not a checkpoint of plain tensors and numbers") from error
    except OSError as error:
        raise DamagedError(path, f"cannot be read ({error.strerror or error})") from error
    except Exception as error:  # a pickle that is none can raise whatever its bytes lead to
        raise DamagedError(path, "is truncated, or not a checkpoint") from error
    if not isinstance(state, dict):
        raise DamagedError(path, f"holds a {type(state).__name__}, not a checkpoint")
    return state
