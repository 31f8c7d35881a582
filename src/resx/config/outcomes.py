"""Grids: every job notes how it began and ended, so that none is hidden, whatever became of it."""

import logging
import os
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from resx.config.batch import Handler, leave, preemption_handler
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


def note_outcome(run: Callable[[], int], one_line: Callable[[BaseException], str | None]) -> bool:
    """Run one job of a sweep; whatever it raises is noted and the sweep goes on.

    Returns whether it was done, here or elsewhere, without a failure. Raises KeyboardInterrupt if
    a signal asked to stop, in the sweep's own process.
    """
    # A launcher may run jobs in other processes, whose copies of callbacks and variables the main
    # process never sees; and Hydra drops the rest of a sweep when a job raises. So every job
    # leaves a file, and the main process reads them all when the sweep is over.
    if SweepDirectory.path is None:
        return run_in_worker(lambda: run_noted(run, one_line))
    if received():
        raise KeyboardInterrupt(received())
    return run_noted(run, one_line)


def run_noted(run: Callable[[], int], one_line: Callable[[BaseException], str | None]) -> bool:
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
    return note.code == 0


def run_in_worker(run: Callable[[], bool]) -> bool:
    """In a process of a launcher, which ends with it, and after a signal takes no more jobs."""
    os.chdir(HydraConfig.get().runtime.cwd)  # Ray's are where their node was started
    worker, done = prepare_worker(), False
    if received():
        return done
    try:
        done = run()
    except KeyboardInterrupt:  # has saved; joblib, told of it, would kill the others, which save
        leave(worker.handler)
    if os.getppid() != worker.parent:
        os._exit(CODES["SIGTERM"])
    return done


class Worker(NamedTuple):
    """A process of a launcher: whose it is, and what it does when it is asked to leave."""

    parent: int
    handler: Handler | None


@cache
def prepare_worker() -> Worker:
    """Once: signals are noted for whatever saves, and the process that this one follows."""
    handler = preemption_handler()
    SweepDirectory.stack.enter_context(holding())
    parent = int(os.environ.get(SWEEP, os.getppid()))
    follow(parent)
    return Worker(parent, handler)
