"""`resx study NAME`: run what is missing of a grid, whoever ran the rest, then report."""

import sys
from collections import Counter

from rich.console import Console

from resx.config.composing import Typed
from resx.config.requests import StudyRequest
from resx.store.integrity import REMEDY
from resx.store.summary import Status
from resx.study.grid import Grid, expand
from resx.study.running import launcher_of, run_all
from resx.study.status import counted, key_of, status_table


def main(request: StudyRequest, typed: Typed) -> int:
    """0 when every run is finished or diverged, 1 when some failed."""
    grid = expand(request, typed)
    if request.status:
        show_status(grid)
        return 0
    statuses = [job.run.status for job in grid.jobs]
    print(f"study {grid.name}: {len(grid.jobs)} runs, {counted(Counter(statuses))}")
    missing = [
        job
        for job, status in zip(grid.jobs, statuses)
        if not status.is_final and status is not Status.RUNNING
    ]
    launcher = launcher_of(request, grid.jobs, typed)
    if missing:
        from resx.study.forecast import forecast  # torch

        print(forecast([job.config for job in missing], parallel=launcher == "joblib"))
    if request.preview:
        return 0
    notes = run_all(grid, request, launcher, typed)
    failed = [job for job in grid.jobs if not job.run.status.is_final]
    for job in failed:
        reason = job.run.summary.failure or notes.get(key_of(job)) or job.run.status
        print(f"failed: {' '.join(job.overrides)}: {reason.splitlines()[0]}", file=sys.stderr)
    if any(job.run.summary.status is not Status.MISSING for job in grid.jobs):
        from resx.commands.report import report_study

        report_study(grid, request)
    return 1 if failed else 0


def show_status(grid: Grid) -> None:
    """The table, and below it what is damaged."""
    Console().print(status_table(grid))
    for job in grid.jobs:
        if job.run.status is Status.DAMAGED:
            print(f"damaged: {job.run.assess()[1]}; {REMEDY}")
