"""Grids: every job notes how it began and ended, so that none is hidden, whatever became of it."""

import logging
import os
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from resx.config.notes import Note, write_note
from resx.errors import BusyError
from resx.interruption import CODES, follow, holding, received

log = logging.getLogger(__name__)

SWEEP = "RESX_SWEEP"  # the process that joblib's workers belong to


class SweepDirectory(Callback):
    """Tells the main process where the sweep that Hydra just started keeps its notes.

    `shared`: with other processes, so that they are not of its own jobs alone. What is to be done
    when it has ended is on the `stack`.
    """

    path: Path | None = None
    shared = False
    stack = ExitStack()

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        SweepDirectory.path = Path(config.hydra.sweep.dir)
        SweepDirectory.shared = bool(config.hydra.sweeper.get("shared"))
        if config.hydra.runtime.choices.get("hydra/launcher") == "joblib":
            # Its workers get the signals of this process and save, unless joblib, interrupted,
            # kills them.
            SweepDirectory.stack.enter_context(holding())
            os.environ[SWEEP] = str(os.getpid())


def note_outcome(run: Callable[[], int], one_line: Callable[[BaseException], str | None]) -> None:
    """Run one job of a sweep; whatever it raises is noted and the sweep goes on.

    Raises KeyboardInterrupt if a signal asked to stop, in the sweep's own process.
    """
    # A launcher may run jobs in other processes, whose copies of callbacks and variables the main
    # process never sees; and Hydra drops the rest of a sweep when a job raises. So every job
    # leaves a file, and the main process reads them all when the sweep is over.
    if SweepDirectory.path is None:
        run_in_worker(lambda: run_noted(run, one_line))
    elif received():
        raise KeyboardInterrupt(received())
    else:
        run_noted(run, one_line)


def run_noted(run: Callable[[], int], one_line: Callable[[BaseException], str | None]) -> None:
    hydra = HydraConfig.get()
    place, number = Path(hydra.sweep.dir), int(hydra.job.num)
    note = Note(" ".join(hydra.overrides.task), process=os.getpid())
    write_note(place, number, note)
    try:
        note = note._replace(code=run())
    except BusyError as error:
        note = note._replace(code=0, elsewhere=True)
        log.info("%s", error)
    except Exception as error:
        if received():  # an import that was interrupted may raise anything
            raise KeyboardInterrupt(received()) from error
        line = one_line(error)
        if line is None:
            traceback.print_exc()
        note = note._replace(code=1, message=line or f"{type(error).__name__}: {error}")
        log.error("%s: %s", note.overrides, note.message)
    write_note(place, number, note)


def run_in_worker(run: Callable[[], None]) -> None:
    """In a process of a launcher, which ends with it, and after a signal takes no more jobs."""
    parent = prepare_worker()
    if received():
        return
    try:
        run()
    except KeyboardInterrupt:  # has saved; joblib, told of it, would kill the others, which save
        pass
    if os.getppid() != parent:
        os._exit(CODES["SIGTERM"])


@cache
def prepare_worker() -> int:
    """Once: signals are noted for whatever saves, and the process that this one follows."""
    SweepDirectory.stack.enter_context(holding())
    parent = int(os.environ.get(SWEEP, os.getppid()))
    follow(parent)
    return parent
