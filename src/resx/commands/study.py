"""`resx study NAME`: run what is missing of a grid, whoever ran the rest, then report."""

import os
import sys
import time
from collections import Counter
from importlib.util import find_spec

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from rich.console import Console

from resx.config.schema import StudyRequest
from resx.study.grid import Grid, Job, expand
from resx.study.launch import REFRESH, launch
from resx.study.status import key_of, state, status_table, told


def main(request: StudyRequest, composed: DictConfig) -> int:
    """0 when every run is finished or diverged, 1 when some failed."""
    grid = expand(request)
    if request.status:
        show_status(grid)
        return 0
    counts = Counter(state(job) for job in grid.jobs)
    print(f"study {grid.name}: {len(grid.jobs)} runs, {told(counts)}")
    missing = [job for job in grid.jobs if state(job) not in ("finished", "diverged", "running")]
    launcher = launcher_of(request, grid.jobs)
    if missing:
        from resx.study.forecast import forecast  # torch

        print(forecast([job.config for job in missing], parallel=launcher == "joblib"))
    if request.preview:
        return 0
    notes = run_all(grid, request, launcher)
    failed = [job for job in grid.jobs if state(job) not in ("finished", "diverged")]
    for job in failed:
        reason = job.run.read_summary().get("failure") or notes.get(key_of(job)) or state(job)
        print(f"failed: {' '.join(job.overrides)}: {reason.splitlines()[0]}", file=sys.stderr)
    if any(job.run.read_summary() for job in grid.jobs):
        from resx.commands.report import report_study

        report_study(grid, request)
    return 1 if failed else 0


def show_status(grid: Grid) -> None:
    Console().print(status_table(grid))


def run_all(grid: Grid, request: StudyRequest, launcher: str) -> dict[str, str]:
    """Train until nothing is left to do here or elsewhere; a failed run gets one more try.

    Returns what went wrong by job.
    """
    tries: Counter[str] = Counter()
    notes: dict[str, str] = {}
    while True:
        states = {key_of(job): state(job) for job in grid.jobs}
        open_jobs = [
            job
            for job in grid.jobs
            if states[key_of(job)] in ("missing", "interrupted", "failed")
            and tries[key_of(job)] < 2
        ]
        if open_jobs:
            tries.update(key_of(job) for job in open_jobs)
            notes |= launch(grid, open_jobs, request.outputs, launcher)
        elif "running" in states.values():
            time.sleep(REFRESH)  # another process trains the rest
        else:
            return notes


def launcher_of(request: StudyRequest, jobs: list[Job]) -> str:
    """Jobs in parallel with one thread each where that pays: small images on several cores."""
    chosen = [o for o in HydraConfig.get().overrides.hydra if o.startswith("hydra/launcher=")]
    if chosen:
        return chosen[-1].split("=")[1]
    small = all(job.config.data.image_size <= 16 for job in jobs)
    cpu = request.device == "cpu" or (request.device == "auto" and not has_accelerator())
    several = (os.cpu_count() or 1) > 1 and len(jobs) > 1
    installed = find_spec("hydra_plugins.hydra_joblib_launcher") is not None
    return "joblib" if small and cpu and several and installed else "basic"


def has_accelerator() -> bool:
    import torch

    return torch.cuda.is_available() or torch.backends.mps.is_available()
