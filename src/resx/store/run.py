"""A run directory: lock, configuration, records and summary (torch-free)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from resx.errors import DamagedError, RequestError
from resx.store import integrity
from resx.store import records as recording
from resx.store.claim import Owner, refuse_lost
from resx.store.clearing import clear, move_aside
from resx.store.files import (
    ANALYSES,
    CONFIG,
    HYDRA,
    HYDRA_FILES,
    LOCK,
    RECORDS,
    SNAPSHOTS,
    SUMMARY,
    snapshot_name,
    step_of,
)
from resx.store.locking import hold, is_held, refuse_links
from resx.store.reading import read_file
from resx.store.records import Record
from resx.store.summary import Status, Summary
from resx.store.writing import replace_text


class Run:
    """The files of one run; `outputs` is the folder that none of them may lead out of.

    Only files of these names are ever written or deleted, and none through a link: a run
    directory may come from anywhere.
    """

    def __init__(self, directory: Path, outputs: Path | None = None) -> None:
        self.directory = directory
        self.outputs = directory if outputs is None else outputs
        self.owner: Owner | None = None  # while this process has locked it

    @property
    def hash(self) -> str:
        """The run hash, as the directory's name ends."""
        return self.directory.name.rpartition("-")[2]

    @property
    def records_path(self) -> Path:
        return self.directory / RECORDS

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Own the directory. Raises `BusyError` while another process does.

        Raises `RequestError` if the directory or a file of the run's names in it is a link.
        """
        self.refuse_links()
        self.directory.mkdir(parents=True, exist_ok=True)
        with hold(self.directory / LOCK) as self.owner:
            try:
                yield
            finally:
                self.owner = None

    def refuse_links(self) -> None:
        refuse_links(self.directory, self.outputs)

    def is_locked(self) -> bool:
        """Whether a process owns the directory now."""
        return is_held(self.directory / LOCK)

    @property
    def status(self) -> Status:
        """From the directory alone; a run that says it is running is so only while it is locked."""
        return self.seen().status

    def seen(self) -> Summary:
        """The summary with the status as it is now, both from one look."""
        summary, damage = self.assess()
        if summary.status.is_final and damage is None:
            return summary
        if self.is_locked():
            return summary.but(status=Status.RUNNING)
        if damage is not None:
            return summary.but(status=Status.DAMAGED)
        gone = summary.status is Status.RUNNING
        return summary.but(status=Status.INTERRUPTED) if gone else summary

    def assess(self) -> tuple[Summary, DamagedError | None]:
        """What the run says of itself, and why that cannot be believed, None if it can.

        Of a run that is not over only the summary counts: training looks at the rest.
        """
        summary = Summary()
        try:
            if os.path.lexists(self.directory / SUMMARY):
                summary = self.read_summary()
            if summary.status.is_final:
                integrity.refuse_damaged(self.directory, summary)
        except DamagedError as error:
            return summary, error
        return summary, None

    @property
    def summary(self) -> Summary:
        """As last written; of a run that has none, or a damaged one, that it is missing."""
        try:
            return self.read_summary()
        except DamagedError:
            return Summary()

    def read_summary(self) -> Summary:
        """Raises `DamagedError` if there is none that can be read."""
        return integrity.read_summary(self.directory / SUMMARY)

    def read_contents(self) -> integrity.Contents:
        """Configuration, summary and records. Raises `DamagedError` if any is not as written."""
        return integrity.read_contents(self.directory)

    def write_summary(self, summary: Summary) -> Summary:
        """A final one knows the other files by their checksums."""
        refuse_lost(self.owner)
        if summary.status.is_final:
            summary = summary.but(checksums=integrity.checksums(self.directory))
        replace_text(self.directory / SUMMARY, summary.to_json())
        return summary

    def write_config(self, config: dict[str, Any]) -> None:
        refuse_lost(self.owner)
        replace_text(self.directory / CONFIG, yaml.safe_dump(config, sort_keys=False))

    def read_config(self) -> dict[str, Any]:
        """As stored. Raises `RequestError` if the directory holds no run, or a damaged one."""
        path = self.directory / CONFIG
        if not os.path.lexists(path):
            raise RequestError(f"{self.directory}: no run here (it has no {CONFIG})")
        return integrity.parse_config(read_file(path), path)

    def write_hydra_files(self, files: dict[str, str]) -> None:
        """What Hydra itself would write beside a job."""
        refuse_lost(self.owner)
        folder = self.directory / HYDRA
        folder.mkdir(exist_ok=True)
        for name in HYDRA_FILES:
            replace_text(folder / name, files[name])

    def analysis(self, name: str) -> Path:
        """For the results of one analysis of this run alone; they go when the run is cleared."""
        self.refuse_links()
        folder = self.directory / ANALYSES / name
        if folder.is_symlink():
            raise RequestError(f"{folder} is a link; nothing is written through one")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def record(self, **values: Any) -> None:
        """Append one record to `metrics.jsonl`. Raises `BusyError` if the run was taken over."""
        refuse_lost(self.owner)
        recording.append(self.records_path, values)

    def flush_records(self) -> dict[str, Any]:
        """Have them survive a power cut; returns what a checkpoint has to know of them."""
        refuse_lost(self.owner)
        return recording.flush(self.records_path)

    def whole_records(self) -> tuple[list[Record], DamagedError | None]:
        """Those before the first damaged line, and what is wrong with that one."""
        return recording.read(self.records_path)

    def last_step(self) -> int:
        """The last recorded step, 0 before the first record or if that cannot be read."""
        return recording.last_step(self.records_path)

    def rewind(self, step: int) -> None:
        """Drop what was recorded after `step`, the step that training resumes from."""
        refuse_lost(self.owner)
        recording.rewind(self.records_path, step)

    def clear(self) -> None:
        """Forget an earlier attempt; see `clearing.clear`."""
        refuse_lost(self.owner)
        clear(self.directory, self.outputs)

    def move_aside(self, reason: str, odd: bool = False) -> None:
        """Make room for a new attempt, and keep all of the earlier one; see `clearing`."""
        refuse_lost(self.owner)
        move_aside(self.directory, self.outputs, reason, odd)

    def snapshots(self) -> dict[int, Path]:
        """The files of weights that were kept along training, by step."""
        folder = self.directory / SNAPSHOTS
        self.refuse_links()
        steps = {step_of(path): path for path in folder.glob("*.pt")}
        return {step: steps[step] for step in sorted(s for s in steps if s is not None)}

    def snapshot(self, step: int) -> Path:
        """Where the weights of a step are to be kept. Raises `BusyError` as `record` does."""
        refuse_lost(self.owner)
        self.refuse_links()
        folder = self.directory / SNAPSHOTS
        folder.mkdir(exist_ok=True)
        return folder / snapshot_name(step)
