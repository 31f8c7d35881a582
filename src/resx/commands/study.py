"""`resx study NAME`: run what is missing of a grid, whoever ran the rest, then report."""

import shlex
import sys
from collections import Counter
from contextlib import nullcontext

from rich.console import Console

from resx.config.composing import Typed
from resx.config.plugins import refuse_missing_tracker
from resx.config.requests import StudyRequest
from resx.store.integrity import REMEDY
from resx.store.summary import Status
from resx.study.cores import PROCESSES, Way, cores
from resx.study.grid import Grid, Job, expand
from resx.study.outlook import Forecast, outlook
from resx.study.parallel import as_settings, asked_launcher, translated
from resx.study.remembered import remember, same_study
from resx.study.running import run_all
from resx.study.slurm import still_queued
from resx.study.status import counted, key_of, look, status_table


def main(request: StudyRequest, typed: Typed) -> int:
    """0 when every run is finished or diverged, 1 when some failed."""
    grid = expand(request, typed)
    if request.status:
        for each in same_study(grid, request, typed):
            if each.typed:
                print(shlex.join(["resx", "study", str(typed.choices["study"]), *each.typed]))
            show_status(each)
        return 0
    refuse_missing_tracker(request.tracker)
    statuses = {key_of(job): job.run.status for job in grid.jobs}
    count = counted(Counter(statuses.values()))
    print(f"study {grid.name}: {len(grid.jobs)} runs, {count}", flush=True)
    left = [job for job in grid.jobs if request.force or not statuses[key_of(job)].is_final]
    missing = [job for job in left if statuses[key_of(job)] is not Status.RUNNING]
    foreseen = foresee(request, grid, missing, typed) if missing else as_asked(request, typed)
    if request.preview:
        return 0
    remember(grid, request, typed)
    seconds = {key_of(job): each for job, each in zip(missing, foreseen.seconds)}
    notes = run_all(grid, request, foreseen, typed, seconds) if left else {}
    failed = [job for job in grid.jobs if not job.run.status.is_final]
    for job in failed:
        reason = job.run.summary.failure or notes.get(key_of(job)) or job.run.status
        print(f"failed: {' '.join(job.overrides)}: {reason.splitlines()[0]}", file=sys.stderr)
    if any(job.run.summary.status is not Status.MISSING for job in grid.jobs):
        from resx.commands.report import report_study

        report_study(grid, request)
    return 1 if failed else 0


def as_asked(request: StudyRequest, typed: Typed) -> Forecast:
    """If nothing is left to train, or others train the rest, some of which may be left to us."""
    asked = asked_launcher(typed)
    way = Way(request.jobs or 1, request.threads or cores())
    launcher = asked or (PROCESSES if way.jobs > 1 else "basic")
    return Forecast(launcher, [], "", way, as_settings(translated(asked, request)))


def foresee(request: StudyRequest, grid: Grid, missing: list[Job], typed: Typed) -> Forecast:
    """Says what the missing runs will take; on a terminal something moves meanwhile."""
    terminal = sys.stdout.isatty()
    with Console().status("measuring a few steps of each network") if terminal else nullcontext():
        foreseen = outlook(request, grid.jobs, missing, typed, offline=request.preview)
    print(foreseen.line, flush=True)
    return foreseen


def show_status(grid: Grid) -> None:
    """The table, and below it how many of its jobs Slurm has, and what is damaged."""
    seen = look(grid)
    Console().print(status_table(grid, seen))
    if queued := still_queued(grid.jobs):
        print(f"in Slurm's queue: {len(queued)}")
    for job in grid.jobs:
        if seen[key_of(job)].status is Status.DAMAGED:
            print(f"damaged: {job.run.assess()[1]}; {REMEDY}")
