"""A set of runs as Hydra sweeps in processes of their own."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from resx.config.composing import Typed
from resx.config.notes import Note, Ticket, read_note
from resx.interruption import stop_signals
from resx.store.store import Store
from resx.study.cores import PROCESSES, Way, cores
from resx.study.grid import Grid, Job
from resx.study.progress import Progress
from resx.study.status import key_of
from resx.study.workers import Workers

SAVING = "stopping: the runs at work are being saved; once more ends at once"
LOSING = "stopping: Ray ends its workers at once; their runs go on from their last checkpoints"
LOOK = 0.1  # seconds between looks for signals and for processes that ended


class Launched(NamedTuple):
    """What became of the jobs, by run directory; those that never began are absent."""

    notes: dict[str, Note]
    logs: str


def launch(
    grid: Grid,
    jobs: list[Job],
    store: Store,
    launcher: str,
    typed: Typed,
    progress: Progress,
    way: Way,
) -> Launched:
    """Train exactly these jobs, in this way if the launcher is ours.

    Raises KeyboardInterrupt if a signal stopped this process or theirs; what they did is saved.
    """
    place = listed(grid, jobs, store)
    shared = launcher in (PROCESSES, "basic")
    # With all cores for one run it is torch that decides what it takes, unless a person has.
    free = way == Way(1, cores()) and all(s.key != "threads" for s in typed.settings)
    threads = None if free else way.threads
    tickets = {Ticket(place, number): job for number, job in enumerate(jobs)}
    with stop_signals() as stopped:
        line, count = command(place, shared, typed), way.jobs if shared else 1
        workers = Workers(line, place, len(jobs), count, shared=shared, threads=threads)
        try:
            with progress.shown(tickets):
                watch(workers, stopped, progress, LOSING if launcher == "ray" else SAVING)
        finally:
            workers.end()
        if stopped():
            raise KeyboardInterrupt(stopped())
    if not shared and workers.was_stopped:
        raise KeyboardInterrupt
    return Launched(notes_of(tickets), str(workers.logs))


def listed(grid: Grid, jobs: Iterable[Job], store: Store) -> Path:
    """A new folder with the list of jobs that a sweep reads."""
    place = store.study(grid.name)
    (place / "jobs.json").write_text(json.dumps([job.overrides for job in jobs], indent=1))
    return place


def command(place: Path, shared: bool, typed: Typed, *own: str) -> list[str]:
    """One Hydra sweep over the jobs that are listed in `place`; what was typed wins over `own`."""
    place = place.absolute()
    line = [sys.executable, "-m", "resx", "train", "--multirun", "hydra/sweeper=resx_jobs"]
    line += [f'hydra.sweeper.jobs="{place / "jobs.json"}"', f'hydra.sweep.dir="{place}"']
    line += [f"hydra.sweeper.shared={str(shared).lower()}", *own]
    line += [o for o in typed.hydra if not o.startswith("hydra.mode=")]  # a RUN is ours
    return [*line, *(x for d in typed.config_dirs for x in ("--config-dir", d))]


def watch(workers: Workers, stopped: Callable[[], str], progress: Progress, stopping: str) -> None:
    """Until all have ended; the first signal that this process gets is passed on to them."""
    passed_on = False
    while workers.look():
        if stopped() and not passed_on:
            progress.say(stopping)
            workers.stop()
            passed_on = True
        progress.look()
        time.sleep(LOOK)
    progress.look(at_once=True)


def notes_of(tickets: Mapping[Ticket, Job]) -> dict[str, Note]:
    """What the jobs noted, by run directory."""
    notes = {key_of(job): read_note(*ticket) for ticket, job in tickets.items()}
    return {key: note for key, note in notes.items() if note is not None}
