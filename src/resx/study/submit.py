"""A set of runs as one Slurm job array, which outlives the process that submitted it."""

import time
from collections.abc import Callable, Mapping

from resx.config.composing import Typed
from resx.config.notes import Note, Ticket
from resx.errors import RequestError
from resx.interruption import stop_signals
from resx.store.store import Store
from resx.study.grid import Grid, Job
from resx.study.launch import LOOK, Launched, command, listed, notes_of
from resx.study.parallel import launcher_options, threads_of
from resx.study.progress import Progress
from resx.study.slurm import FOLDER, SLURM, note_runs, queue, still_queued, submitted
from resx.study.status import key_of
from resx.study.workers import Workers

# Time limits only part a run into pieces, so one that is much too short is no failure.
TIMEOUTS = "hydra.launcher.max_num_timeout=1000"
ASK = 20.0  # seconds between questions to Slurm; the runs' own files are read more often
KEPT = "hydra.launcher.submitit_folder"


def submit(
    grid: Grid, jobs: list[Job], store: Store, *, typed: Typed, progress: Progress
) -> Launched:
    """Have Slurm train these jobs, those that are in its queue from earlier as they are.

    Raises KeyboardInterrupt if a signal stopped this process, and leaves the jobs in the queue,
    where the same study finds them again. Raises `RequestError` if Slurm refuses them.
    """
    if kept := [line for line in typed.hydra if line.startswith(KEPT)]:
        raise RequestError(f"{kept[0]}: a study finds its jobs again by the folder that it chooses")
    if queue() is None:  # its jobs may be in there
        raise RequestError("hydra/launcher=submitit_slurm: squeue fails, so nothing is submitted")
    tickets = still_queued(grid.jobs)
    known = {key_of(job) for job in tickets.values()}
    if fresh := [job for job in jobs if key_of(job) not in known]:
        tickets |= send(grid, fresh, store, typed)
    with stop_signals() as stopped, progress.shown(tickets):
        if watch_queue(tickets, stopped, progress):
            ids = sorted({job.partition("_")[0] for job in in_queue(tickets).values()})
            progress.say(f"the jobs stay in Slurm's queue; to end them: scancel {' '.join(ids)}")
            raise KeyboardInterrupt(stopped())
    logs = " ".join(sorted({str(ticket.sweep / FOLDER) for ticket in tickets}))
    # A job that has left the queue had its turn, even if it could not say so.
    left = Note(message=f"its job left Slurm's queue before the run was over; see {logs}")
    ended = {key: note for key, note in notes_of(tickets).items() if note.code is not None}
    return Launched({key_of(job): left for job in tickets.values()} | ended, logs)


def send(grid: Grid, jobs: list[Job], store: Store, typed: Typed) -> dict[Ticket, Job]:
    """Submit the jobs; Hydra's own process, which would wait for them all, is let go.

    Raises `RequestError` with what Slurm says if it does not take them.
    """
    place = listed(grid, jobs, store).absolute()  # as it stands in the queue
    note_runs(place, jobs)
    threads = threads_of(SLURM, launcher_options(typed.hydra))
    workers = Workers(command(place, False, typed, TIMEOUTS), place, len(jobs), threads=threads)
    try:
        while workers.look() and submitted(place) < len(jobs):
            time.sleep(LOOK)
    finally:
        workers.end()
    if submitted(place) < len(jobs):
        raise RequestError(f"hydra/launcher=submitit_slurm: {workers.last_words()}")
    return {Ticket(place, number): job for number, job in enumerate(jobs)}


def watch_queue(
    tickets: Mapping[Ticket, Job], stopped: Callable[[], str], progress: Progress
) -> bool:
    """Until all have ended or left the queue; True if this process is to stop before."""
    asked = float("-inf")
    while progress.open:  # those that have not noted their end
        if time.monotonic() > asked + ASK:
            asked = time.monotonic()
            if not in_queue(progress.open):
                break
        if stopped():
            return True
        progress.look()
        time.sleep(LOOK)
    progress.look(at_once=True)
    return False


def in_queue(tickets: Mapping[Ticket, Job]) -> dict[Ticket, str]:
    """Slurm's ids of those that wait or work; of all, without an id, if it does not answer."""
    found = queue()
    if found is None:
        return dict.fromkeys(tickets, "?")
    return {ticket: found[ticket] for ticket in tickets if ticket in found}
