"""Whether the files of a run are as they were written; what is not is named, never used."""

from pathlib import Path
from typing import Any, NamedTuple

import yaml

from resx.config.run_hash import run_hash
from resx.config.schema import TrainConfig
from resx.config.settings import from_stored
from resx.config.typed import refuse_endless, typed
from resx.errors import DamagedError, RequestError
from resx.store.files import CONFIG, RECORDS, SUMMARY
from resx.store.parsing import parsed
from resx.store.reading import checksum, read_file
from resx.store.records import Record, parse_records, read_content
from resx.store.summary import Status, Summary

REMEDY = "resx train, or its study, with the same settings makes it good again"
WRONG_CHECKSUM = "is damaged: its checksum is wrong"


class Contents(NamedTuple):
    config: dict[str, Any]
    summary: Summary
    records: list[Record]


def read_contents(directory: Path) -> Contents:
    """All that a report wants of a run. Raises `DamagedError` if any of it is not as written."""
    summary = read_summary(directory / SUMMARY)
    content = _content(directory, summary)
    config = parse_config(content[CONFIG], directory / CONFIG)
    records, damage = parse_records(content[RECORDS], directory / RECORDS)
    if damage is not None:
        raise damage
    if summary.status.is_final:
        changed = _changed(content, summary)
        if RECORDS in changed:
            _refuse_other_records(content[RECORDS], records, directory / RECORDS, summary)
        # Where the images lie may have been edited; nothing that decides the result.
        if {CONFIG} & changed & summary.checksums.keys() and _hash(config, summary) != summary.hash:
            raise DamagedError(directory / CONFIG, WRONG_CHECKSUM)
        _refuse_incomplete(directory / SUMMARY, summary)
    return Contents(config, summary, records)


def refuse_damaged(directory: Path, summary: Summary) -> None:
    """Raises `DamagedError` unless the other files of a run are those of its final `summary`."""
    if _changed(_content(directory, summary), summary):
        read_contents(directory)
    else:
        _refuse_incomplete(directory / SUMMARY, summary)


def checksums(directory: Path) -> dict[str, str]:
    """Of the files that belong to a final summary."""
    return {name: checksum(read_file(directory / name)) for name in (CONFIG, RECORDS)}


def _content(directory: Path, summary: Summary) -> dict[str, bytes]:
    """A run that is not over may have no records yet."""
    names = (CONFIG, RECORDS) if summary.status.is_final else (CONFIG,)
    content = {name: read_file(directory / name) for name in names}
    if RECORDS not in content:
        content[RECORDS] = read_content(directory / RECORDS)
    return content


def _changed(content: dict[str, bytes], summary: Summary) -> set[str]:
    return {n for n in content if summary.checksums.get(n) != checksum(content[n])}


def read_summary(path: Path) -> Summary:
    """Raises `DamagedError`, naming the field."""
    try:
        return Summary.from_json(read_file(path).decode())
    except DamagedError:
        raise
    except RecursionError as error:
        raise DamagedError(path, "is damaged: nested too deeply") from error
    except ValueError as error:  # also of what is no JSON, or no UTF-8
        raise DamagedError(path, f"is damaged: {error}") from error


def parse_config(content: bytes, path: Path) -> dict[str, Any]:
    """As stored, with the types of the schema. Raises `DamagedError`, naming the setting."""
    try:
        config = parsed(content.decode(), _refuse_no_config)
        typed(config.get("seed", 0), int, "config.seed")
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise DamagedError(path, f"is damaged: {first}") from error
    return dict(config)


def _refuse_no_config(config: Any) -> None:
    """Raises `ValueError`, naming the setting."""
    # A damaged number may be one of a million digits, a damaged structure a tower of brackets.
    refuse_endless(config)
    typed(config, TrainConfig, "config")
    if lacking := [name for name in ("depth", "data", "model", "recipe") if name not in config]:
        raise ValueError(f"it has no {lacking[0]}")
    if not isinstance(config["model"].get("name"), str):
        raise ValueError("its model has no name")


def _hash(config: dict[str, Any], summary: Summary) -> str:
    try:
        return run_hash(from_stored(config, TrainConfig), summary.results)
    except RequestError:
        return ""


def _refuse_other_records(
    content: bytes, records: list[Record], path: Path, summary: Summary
) -> None:
    """By the checksum; summaries of earlier versions have none, but name the last steps."""
    if RECORDS in summary.checksums:
        raise DamagedError(path, WRONG_CHECKSUM)
    ends = {record["split"]: record["step"] for record in records}
    for split, score in summary.last.items():
        if ends.get(split) != score.step:
            raise DamagedError(path, f"is damaged: no record of {split} at step {score.step}")
    if content and not content.endswith(b"\n"):
        raise DamagedError(path, "is damaged: its last line is cut short")


def _refuse_incomplete(path: Path, summary: Summary) -> None:
    """A report asks for these."""
    complete = summary.images.get("train", 0) > 0 and 0 <= summary.step <= summary.steps
    if summary.status is Status.FINISHED:
        complete &= bool(summary.final and summary.last) and summary.step == summary.steps
    scores = [*summary.final.values(), *summary.last.values()]
    if not complete or not all(0 <= score.error <= 1 for score in scores):
        raise DamagedError(path, "is damaged: no complete result")
