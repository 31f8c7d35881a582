"""The records of a run: what a line of `metrics.jsonl` must be, and how lines come and go."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from resx.config.typed import is_number, shown, typed
from resx.errors import DamagedError
from resx.store.reading import checksum, read_file
from resx.store.writing import flush_directory, naming, replace_text

SPLITS = ("train_clean", "train", "val", "test")
NUMBERS = ("loss", "epoch", "lr", "seconds")  # of these only the loss has always been there

Record = dict[str, Any]


def parse_records(content: bytes, path: Path) -> tuple[list[Record], DamagedError | None]:
    """The records before the first damaged line, and what is wrong with that line.

    A last line without an end is one that a kill cut short: no record, and no damage.
    """
    records: list[Record] = []
    steps: dict[str, int] = {}  # the last one of each split
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            record = json.loads(line)
            _refuse_wrong(record, steps)
        except RecursionError:
            return records, DamagedError(path, f"line {number} is damaged: nested too deeply")
        except ValueError as error:  # also of a line that is no UTF-8
            reason = "no JSON" if isinstance(error, json.JSONDecodeError) else error
            return records, DamagedError(path, f"line {number} is damaged: {reason}")
        steps[record["split"]] = record["step"]
        records.append(record)
    return records, None


def _refuse_wrong(record: Any, steps: dict[str, int]) -> None:
    """Raises `ValueError`, naming the field."""
    if not isinstance(record, dict):
        raise ValueError(f"{shown(record)} is no record")
    step, split, error = (record.get(name) for name in ("step", "split", "error"))
    if split not in SPLITS:
        raise ValueError(f"split is {shown(split)}")
    if type(step) is not int or not 0 < step or not is_number(step):
        raise ValueError(f"step is {shown(step)}")
    if step <= steps.get(split, 0):
        raise ValueError(f"step {step} of {split} follows step {steps[split]}")
    if not is_number(error) or not 0 <= error <= 1:
        raise ValueError(f"error is {shown(error)}, no fraction")
    for name in NUMBERS:
        if not is_number(record.get(name, 0.0 if name != "loss" else None)):
            raise ValueError(f"{name} is {shown(record.get(name))}, no number")


def read_content(path: Path) -> bytes:
    """A run without the file has no records yet."""
    return read_file(path) if os.path.lexists(path) else b""


def read(path: Path) -> tuple[list[Record], DamagedError | None]:
    """As `parse_records`; of a file that cannot be read at all none."""
    try:
        return parse_records(read_content(path), path)
    except DamagedError as damage:
        return [], damage


def read_whole(path: Path) -> list[Record]:
    """A last line that a kill cut short is left out. Raises `DamagedError`."""
    found, damage = read(path)
    if damage is not None:
        raise damage
    return found


def append(path: Path, record: Record) -> None:
    with naming(path), path.open("a") as file:
        file.write(json.dumps(record) + "\n")


@dataclass
class Seal:
    """So much of the file as there was when a checkpoint was written."""

    size: int = -1  # bytes
    checksum: str = ""


def flush(path: Path) -> dict[str, Any]:
    """Have all records survive a power cut; before a checkpoint that counts them is written.

    Returns their seal, in plain types.
    """
    with naming(path), path.open("a") as file:
        os.fsync(file.fileno())
    flush_directory(path.parent)
    content = read_content(path)
    return asdict(Seal(len(content), checksum(content)))


def refuse_other(path: Path, sealed: object) -> None:
    """Raises `DamagedError` unless the file begins as it was sealed, `ValueError` for no seal."""
    known: Seal = typed(sealed, Seal, "records")
    content = read_content(path)[: max(known.size, 0)]
    if Seal(len(content), checksum(content)) != known:
        raise DamagedError(path, "is damaged: not the records that the checkpoint counts")


def last_step(path: Path) -> int:
    """Of the last whole line; 0 if there is none, or none that can be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - 400, 0))
            lines = file.read().decode(errors="replace").split("\n")[:-1]
        return int(json.loads(lines[-1])["step"])
    except (OSError, LookupError, ValueError, TypeError, RecursionError):
        return 0  # a run that trains will say itself what is wrong


def rewind(path: Path, step: int) -> None:
    """Keep the whole records up to a step."""
    kept = [json.dumps(record) + "\n" for record in read(path)[0] if record["step"] <= step]
    replace_text(path, "".join(kept))
