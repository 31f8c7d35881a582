"""A set of runs as Hydra sweeps in processes of their own."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from resx.config.composing import Typed
from resx.config.notes import Note, read_note
from resx.interruption import stop_signals
from resx.store.store import Store
from resx.study.cores import cores
from resx.study.grid import Grid, Job
from resx.study.progress import Progress
from resx.study.workers import Workers

PROCESSES = "processes"  # the launcher that is ours: sweeps that share one list of jobs
SAVING = "stopping: the runs at work are being saved; once more ends at once"
LOOK = 0.1  # seconds between looks for signals and for processes that ended


class Launched(NamedTuple):
    """What became of the jobs, by their place in the list; those that never began are absent."""

    notes: dict[int, Note]
    logs: Path


def launch(
    grid: Grid, jobs: list[Job], store: Store, launcher: str, typed: Typed, progress: Progress
) -> Launched:
    """Train exactly these jobs.

    Raises KeyboardInterrupt if a signal stopped this process or theirs; what they did is saved.
    """
    place = store.study(grid.name)
    (place / "jobs.json").write_text(json.dumps([job.overrides for job in jobs], indent=1))
    shared = launcher in (PROCESSES, "basic")
    count = cores() if launcher == PROCESSES else 1
    with stop_signals() as stopped:
        workers = Workers(command(place, shared, typed), place, len(jobs), count, shared)
        try:
            with progress.shown(jobs, place):
                watch(workers, stopped, progress)
        finally:
            workers.end()
        if stopped():
            raise KeyboardInterrupt(stopped())
    if not shared and workers.was_stopped:
        raise KeyboardInterrupt
    notes = {n: note for n in range(len(jobs)) if (note := read_note(place, n)) is not None}
    return Launched(notes, workers.logs)


def command(place: Path, shared: bool, typed: Typed) -> list[str]:
    """One Hydra sweep over the jobs that are listed in `place`."""
    line = [sys.executable, "-m", "resx", "train", "--multirun", "hydra/sweeper=resx_jobs"]
    line += [f'hydra.sweeper.jobs="{place / "jobs.json"}"', f'hydra.sweep.dir="{place}"']
    line += [f"hydra.sweeper.shared={str(shared).lower()}"]
    line += [o for o in typed.hydra if not o.startswith("hydra.mode=")]  # a RUN is ours
    return [*line, *(x for d in typed.config_dirs for x in ("--config-dir", d))]


def watch(workers: Workers, stopped: Callable[[], str], progress: Progress) -> None:
    """Until all have ended; the first signal that this process gets is passed on to them."""
    passed_on = False
    while workers.look():
        if stopped() and not passed_on:
            progress.say(SAVING)
            workers.stop()
            passed_on = True
        progress.look()
        time.sleep(LOOK)
    progress.look(at_once=True)
