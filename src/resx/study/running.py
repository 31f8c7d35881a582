"""Running what is missing of a study, whoever runs the rest."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from resx.config.composing import Typed
from resx.config.requests import StudyRequest
from resx.store.store import Store
from resx.store.summary import Status
from resx.study.grid import Grid
from resx.study.launch import Launched, launch
from resx.study.outlook import Forecast
from resx.study.progress import REFRESH, Progress
from resx.study.slurm import SLURM
from resx.study.status import key_of
from resx.study.submit import submit

TRIES = 2  # a failed run gets one more: a process may have been killed for another's memory
OPEN = (Status.MISSING, Status.INTERRUPTED, Status.FAILED, Status.DAMAGED)


def run_all(
    grid: Grid,
    request: StudyRequest,
    foreseen: Forecast,
    typed: Typed,
    seconds: Mapping[str, float] | None = None,
) -> dict[str, str]:
    """Train until nothing is left to do here or elsewhere; `seconds` as in `Progress`.

    With `force` also once what is finished. Returns what went wrong by job. A try is used up by a
    job that failed, or that was at work when its process died, and by no other.
    """
    tries: Counter[str] = Counter()
    wrong: dict[str, str] = {}
    progress = Progress(grid, seconds or {})
    again = {key_of(j) for j in grid.jobs if request.force and j.run.status.is_final}
    typed = replace(typed, hydra=(*foreseen.asks, *typed.hydra))
    while True:
        statuses = {key_of(job): job.run.status for job in grid.jobs}
        left = [j for j in grid.jobs if statuses[key_of(j)] in OPEN or key_of(j) in again]
        jobs = [job for job in left if tries[key_of(job)] < TRIES]
        again.clear()
        if jobs:
            ours = partial(launch, launcher=foreseen.launcher, way=foreseen.way)
            train = submit if foreseen.launcher == SLURM else ours
            store = Store(request.outputs)
            launched = train(grid, jobs, store, typed=typed, progress=progress)
            tries.update(key for key, note in launched.notes.items() if not note.elsewhere)
            wrong |= failures(launched)
            if not launched.notes:  # it would only happen again
                return wrong | {key_of(job): not_begun(launched) for job in jobs}
        elif Status.RUNNING in statuses.values():
            time.sleep(REFRESH)  # another process trains the rest
        else:
            return wrong


def failures(launched: Launched) -> dict[str, str]:
    """What went wrong, by run directory."""
    bad = {key: note for key, note in launched.notes.items() if note.code != 0}
    died = f"its process died; see {launched.logs}"
    return {key: note.message or died for key, note in bad.items()}


def not_begun(launched: Launched) -> str:
    return f"no process could begin it; see {launched.logs}"
