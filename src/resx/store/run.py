"""A run directory: lock, configuration, records and summary (torch-free)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from resx.errors import BusyError, RequestError
from resx.store.clearing import clear
from resx.store.files import (
    ANALYSES,
    CONFIG,
    HYDRA,
    HYDRA_FILES,
    LOCK,
    LOG,
    RECORDS,
    RESULTS,
    SNAPSHOTS,
    SUMMARY,
    snapshot_name,
    step_of,
)
from resx.store.parsing import parsed
from resx.store.summary import Status, Summary
from resx.store.writing import replace_text

LOCK_PATIENCE = 0.5  # seconds; a look at whether a run is locked takes the lock for a moment


class Run:
    """The files of one run; `outputs` is the folder that none of them may lead out of.

    Only files of these names are ever written or deleted, and none through a link: a run
    directory may come from anywhere.
    """

    def __init__(self, directory: Path, outputs: Path | None = None) -> None:
        self.directory = directory
        self.outputs = directory if outputs is None else outputs

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
        lock = FileLock(self.directory / LOCK)
        try:
            lock.acquire(timeout=LOCK_PATIENCE)
        except Timeout:
            raise BusyError(f"{self.directory} is being trained by another process") from None
        try:
            yield
        finally:
            lock.release()

    def refuse_links(self) -> None:
        own = (*RESULTS, LOG, LOCK, HYDRA, ANALYSES, SNAPSHOTS)
        below = [p for p in self.directory.parents if self.outputs in p.parents]
        places = [self.directory, *below, *(self.directory / name for name in own)]
        for place in places:
            if place.is_symlink():
                raise RequestError(f"{place} is a link; nothing is written or deleted through one")

    def is_locked(self) -> bool:
        """Whether a process owns the directory now."""
        path = self.directory / LOCK
        if not path.is_file() or path.is_symlink():
            return False
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        return False

    @property
    def status(self) -> Status:
        """From the directory alone; a run that says it is running is so only while it is locked."""
        return self.seen().status

    def seen(self) -> Summary:
        """The summary with the status as it is now, both from one look."""
        summary = self.summary
        if summary.status.is_final:
            return summary
        if self.is_locked():
            return summary.but(status=Status.RUNNING)
        gone = summary.status is Status.RUNNING
        return summary.but(status=Status.INTERRUPTED) if gone else summary

    @property
    def summary(self) -> Summary:
        """As last written; of a run that has none, or an unreadable one, that it is missing."""
        try:
            return self.read_summary()
        except (OSError, ValueError):
            return Summary()

    def read_summary(self) -> Summary:
        """Raises OSError if there is none, `ValueError` if it is damaged."""
        return Summary.from_json((self.directory / SUMMARY).read_text())

    def write_summary(self, summary: Summary) -> Summary:
        replace_text(self.directory / SUMMARY, summary.to_json())
        return summary

    def write_config(self, config: dict[str, Any]) -> None:
        replace_text(self.directory / CONFIG, yaml.safe_dump(config, sort_keys=False))

    def read_config(self) -> dict[str, Any]:
        """As stored, not checked. Raises `RequestError` if the directory holds no run."""
        path = self.directory / CONFIG
        if not path.is_file():
            raise RequestError(f"{self.directory}: no run here (it has no {CONFIG})")
        config = parsed(path.read_text())
        if not isinstance(config, dict):
            raise RequestError(f"{path}: no configuration of a run")
        return config

    def write_hydra_files(self, files: dict[str, str]) -> None:
        """What Hydra itself would write beside a job."""
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
        """Append one record to `metrics.jsonl`."""
        with self.records_path.open("a") as file:
            file.write(json.dumps(values) + "\n")

    def records(self) -> list[dict[str, Any]]:
        """All whole records; a last line cut short by a kill is left out."""
        if not self.records_path.exists():
            return []
        lines = self.records_path.read_text().split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def last_step(self) -> int:
        """The last recorded step, 0 before the first record."""
        if not self.records_path.exists():
            return 0
        with self.records_path.open("rb") as file:
            file.seek(max(self.records_path.stat().st_size - 400, 0))
            lines = file.read().decode(errors="replace").split("\n")[:-1]
        return int(json.loads(lines[-1])["step"]) if lines else 0

    def rewind(self, step: int) -> None:
        """Drop what was recorded after `step`, the step that training resumes from."""
        kept = [json.dumps(r) + "\n" for r in self.records() if r["step"] <= step]
        replace_text(self.records_path, "".join(kept))

    def clear(self) -> None:
        """Forget an earlier attempt; see `clearing.clear`."""
        clear(self.directory, self.outputs)

    def snapshots(self) -> dict[int, Path]:
        """The files of weights that were kept along training, by step."""
        folder = self.directory / SNAPSHOTS
        self.refuse_links()
        steps = {step_of(path): path for path in folder.glob("*.pt")}
        return {step: steps[step] for step in sorted(s for s in steps if s is not None)}

    def snapshot(self, step: int) -> Path:
        """Where the weights of a step are to be kept."""
        self.refuse_links()
        folder = self.directory / SNAPSHOTS
        folder.mkdir(exist_ok=True)
        return folder / snapshot_name(step)
