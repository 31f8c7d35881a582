"""Grids: every job notes how it ended, so that none is hidden, in whatever process it ran."""

import json
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from resx.errors import BusyError

log = logging.getLogger(__name__)


class SweepDirectory(Callback):
    """Tells the main process where the sweep that Hydra just started keeps its notes."""

    path: Path | None = None

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        SweepDirectory.path = Path(config.hydra.sweep.dir)


def note_outcome(run: Callable[[], int], one_line: Callable[[BaseException], str | None]) -> None:
    """Run one job of a sweep; whatever it raises is noted and the sweep goes on."""
    # A launcher may run jobs in other processes, whose copies of callbacks and variables the main
    # process never sees; and Hydra drops the rest of a sweep when a job raises. So every job
    # leaves a file, and the main process reads them all when the sweep is over.
    if SweepDirectory.path is None:  # not the process that Hydra's launcher runs in
        leave_with_parent()
    hydra = HydraConfig.get()
    message = ""
    try:
        code = run()
    except BusyError as error:
        code = 0
        log.info("%s", error)
    except Exception as error:
        code = 1
        message = one_line(error) or f"{type(error).__name__}: {error}"
        if one_line(error) is None:
            traceback.print_exc()
    overrides = " ".join(hydra.overrides.task)
    if message:
        log.error("%s: %s", overrides, message)
    note = {"overrides": overrides, "code": code, "message": message}
    directory = Path(hydra.sweep.dir) / "jobs"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{hydra.job.num}.json").write_text(json.dumps(note) + "\n")


def leave_with_parent() -> None:
    """A launcher's worker ends when the launcher is gone, even by SIGKILL."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    if not any(thread.name == "leave_with_parent" for thread in threading.enumerate()):
        threading.Thread(target=watch, name="leave_with_parent", daemon=True).start()


def report(directory: Path) -> int:
    """Name every failed job on stderr. Returns 1 if there is one, else 0."""
    paths = sorted((directory / "jobs").glob("*.json"), key=lambda p: int(p.stem))
    notes = [json.loads(path.read_text()) for path in paths]
    failed = [note for note in notes if note["code"]]
    print(f"{len(notes) - len(failed)} of {len(notes)} jobs done", file=sys.stderr)
    for note in failed:
        print(f"failed: {note['overrides']}: {note['message']}", file=sys.stderr)
    return 1 if failed else 0
