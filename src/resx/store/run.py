"""A run directory: lock, configuration, records and summary (torch-free)."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from omegaconf import OmegaConf

from resx.errors import BusyError, RequestError

FINAL = ("finished", "diverged")
LOCK_PATIENCE = 0.5  # seconds; a look at whether a run is locked takes the lock for a moment


class Run:
    """The files of one run.

    `config.yaml`, `metrics.jsonl`, `summary.json`, beside the checkpoints and TensorBoard's files.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.metrics = directory / "metrics.jsonl"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Own the directory. Raises `BusyError` while another process does."""
        self.directory.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.directory / ".lock")
        try:
            lock.acquire(timeout=LOCK_PATIENCE)
        except Timeout:
            raise BusyError(f"{self.directory} is being trained by another process") from None
        try:
            yield
        finally:
            lock.release()

    def is_locked(self) -> bool:
        """Whether a process owns the directory now."""
        path = self.directory / ".lock"
        if not path.exists():
            return False
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        return False

    def last_step(self) -> int:
        """The last recorded step, 0 before the first record."""
        if not self.metrics.exists():
            return 0
        with self.metrics.open("rb") as file:
            file.seek(max(self.metrics.stat().st_size - 400, 0))
            lines = file.read().decode(errors="replace").split("\n")[:-1]
        return int(json.loads(lines[-1])["step"]) if lines else 0

    def is_final(self) -> bool:
        """Whether nothing is left to train: finished, or diverged, which is a result too."""
        return self.read_summary().get("status") in FINAL

    def clear(self) -> None:
        """Forget an earlier attempt, all but its log."""
        for path in self.directory.iterdir():
            if path.is_file() and path.name not in (".lock", "train.log"):
                path.unlink()

    def read_summary(self) -> dict[str, Any]:
        """The summary as last written; empty if there is none or it is unreadable."""
        try:
            summary = json.loads((self.directory / "summary.json").read_text())
        except (FileNotFoundError, NotADirectoryError, ValueError):  # none, or no JSON
            return {}
        return summary if isinstance(summary, dict) else {}

    def write_summary(self, **changes: Any) -> dict[str, Any]:
        summary = self.read_summary() | changes
        text = json.dumps(summary, indent=1) + "\n"
        replace_text(self.directory / "summary.json", text)
        return summary

    def write_config(self, config: dict[str, Any]) -> None:
        replace_text(self.directory / "config.yaml", OmegaConf.to_yaml(OmegaConf.create(config)))

    def read_config(self) -> dict[str, Any]:
        """Raises `RequestError` if the directory holds no run."""
        path = self.directory / "config.yaml"
        if not path.is_file():
            raise RequestError(f"{self.directory}: no run here (it has no config.yaml)")
        config = OmegaConf.to_container(OmegaConf.load(path))
        assert isinstance(config, dict)
        return {str(key): value for key, value in config.items()}

    def record(self, **values: Any) -> None:
        """Append one record to `metrics.jsonl`."""
        with self.metrics.open("a") as file:
            file.write(json.dumps(values) + "\n")

    def records(self) -> list[dict[str, Any]]:
        """All whole records; a last line cut short by a kill is left out."""
        if not self.metrics.exists():
            return []
        lines = self.metrics.read_text().split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def rewind(self, step: int) -> None:
        """Drop what was recorded after `step`, the step that training resumes from."""
        kept = [json.dumps(r) + "\n" for r in self.records() if r["step"] <= step]
        replace_text(self.metrics, "".join(kept))


def replace_text(path: Path, text: str) -> None:
    """Write a small file so that a reader or a kill never sees half of it."""
    fresh = path.with_name(f"{path.name}.tmp")
    try:
        with fresh.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    fresh.replace(path)
