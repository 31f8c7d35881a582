"""Running what is missing of a study, whoever runs the rest."""

import os
import time
from collections import Counter
from importlib.util import find_spec

from resx.config.composing import Typed
from resx.config.requests import StudyRequest
from resx.store.store import Store
from resx.store.summary import Status
from resx.study.grid import Grid, Job
from resx.study.launch import REFRESH, launch
from resx.study.status import key_of

TRIES = 2  # a failed run gets one more: a worker may have been killed for another's memory
TINY_IMAGE = 16  # pixels; up to it a network keeps less than one core busy
OPEN = (Status.MISSING, Status.INTERRUPTED, Status.FAILED, Status.DAMAGED)


def run_all(grid: Grid, request: StudyRequest, launcher: str, typed: Typed) -> dict[str, str]:
    """Train until nothing is left to do here or elsewhere.

    Returns what went wrong by job.
    """
    tries: Counter[str] = Counter()
    notes: dict[str, str] = {}
    while True:
        statuses = {key_of(job): job.run.status for job in grid.jobs}
        open_jobs = [
            job for job in grid.jobs if statuses[key_of(job)] in OPEN and tries[key_of(job)] < TRIES
        ]
        if open_jobs:
            tries.update(key_of(job) for job in open_jobs)
            notes |= launch(grid, open_jobs, Store(request.outputs), launcher, typed)
        elif Status.RUNNING in statuses.values():
            time.sleep(REFRESH)  # another process trains the rest
        else:
            return notes


def launcher_of(request: StudyRequest, jobs: list[Job], typed: Typed) -> str:
    """Jobs in parallel with one thread each where that pays: tiny images on several cores."""
    chosen = [line for line in typed.hydra if line.startswith("hydra/launcher=")]
    if chosen:
        return chosen[-1].split("=")[1]
    tiny = all(job.config.data.image_size <= TINY_IMAGE for job in jobs)
    cpu = request.device == "cpu" or (request.device == "auto" and not _has_accelerator())
    several = (os.cpu_count() or 1) > 1 and len(jobs) > 1
    installed = find_spec("hydra_plugins.hydra_joblib_launcher") is not None
    return "joblib" if tiny and cpu and several and installed else "basic"


def _has_accelerator() -> bool:
    import torch

    return torch.cuda.is_available() or torch.backends.mps.is_available()
