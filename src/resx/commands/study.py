"""`resx study NAME`: run what is missing of a grid, whoever ran the rest, then report."""

import json
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from rich.console import Console
from rich.live import Live
from rich.table import Table

from resx.commands.grid import Grid, Job, expand
from resx.config import StudyRequest
from resx.settings import flattened

log = logging.getLogger(__name__)

REFRESH = 2.0  # seconds between looks at the run directories


def main(request: StudyRequest, composed: DictConfig) -> int:
    """0 when every run is finished or diverged, 1 when some failed."""
    grid = expand(request)
    if request.status:
        show_status(grid)
        return 0
    counts = Counter(state(job) for job in grid.jobs)
    print(f"study {grid.name}: {len(grid.jobs)} runs, {told(counts)}")
    missing = [job for job in grid.jobs if state(job) not in ("finished", "diverged", "running")]
    launcher = launcher_of(request, missing)
    if missing:
        from resx.commands.forecast import forecast  # torch

        print(forecast([job.config for job in missing], parallel=launcher == "joblib"))
    if request.preview:
        return 0
    notes = run_all(grid, request, launcher)
    failed = [job for job in grid.jobs if state(job) in ("failed", "missing")]
    for job in failed:
        reason = job.run.read_summary().get("failure") or notes.get(key_of(job), "did not start")
        print(f"failed: {' '.join(job.overrides)}: {reason}", file=sys.stderr)
    if any(job.run.read_summary().get("last") for job in grid.jobs):
        from resx.commands.report import report_study

        report_study(grid, request)
    return 1 if failed else 0


def state(job: Job) -> str:
    """finished, diverged, failed, interrupted, running or missing, from the directory alone."""
    status = job.run.read_summary().get("status", "missing")
    if status in ("finished", "diverged"):
        return str(status)
    if job.run.is_locked():
        return "running"
    return "interrupted" if status == "running" else str(status)


def told(counts: Counter[str]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.most_common()) or "none"


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
            notes |= launch(grid, open_jobs, request, launcher)
        elif "running" in states.values():
            time.sleep(REFRESH)  # another process trains the rest
        else:
            return notes


def key_of(job: Job) -> str:
    return str(job.run.directory)


def launch(grid: Grid, jobs: list[Job], request: StudyRequest, launcher: str) -> dict[str, str]:
    """One Hydra sweep over exactly these jobs, in a process of its own; its notes on failures."""
    place = Path(request.outputs, "studies", grid.name, time.strftime("%Y-%m-%d_%H-%M-%S"))
    place = place.with_name(f"{place.name}-{os.getpid()}")
    place.mkdir(parents=True, exist_ok=True)
    (place / "jobs.json").write_text(json.dumps([job.overrides for job in jobs], indent=1))
    command = [sys.executable, "-m", "resx", "train", "--multirun", "hydra/sweeper=resx_jobs"]
    command += [f'hydra.sweeper.jobs="{place / "jobs.json"}"', f'hydra.sweep.dir="{place}"']
    command += [o for o in HydraConfig.get().overrides.hydra if "launcher" in o]
    if launcher == "joblib" and "hydra/launcher=joblib" not in command:
        command.append("hydra/launcher=joblib")
    watched = sys.stdout.isatty()
    with (place / "train.log").open("w") as output:
        stream = output if watched else None
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
        try:
            if watched:
                with Live(status_table(grid), console=Console(), auto_refresh=False) as live:
                    while process.poll() is None:
                        time.sleep(REFRESH)
                        live.update(status_table(grid), refresh=True)
            process.wait()
        except KeyboardInterrupt:  # the sweep got it too, and saves
            process.wait()
            raise
    if process.returncode < 0 or process.returncode > 1:
        log.warning("the sweep ended with code %d; see %s", process.returncode, place)
        if process.returncode == 130:
            raise KeyboardInterrupt
    return failures(place, jobs)


def failures(place: Path, jobs: list[Job]) -> dict[str, str]:
    notes = {}
    for path in (place / "jobs").glob("*.json"):
        note = json.loads(path.read_text())
        if note["code"]:
            notes[key_of(jobs[int(path.stem)])] = note["message"]
    return notes


def launcher_of(request: StudyRequest, missing: list[Job]) -> str:
    """Jobs in parallel with one thread each where that pays: small images on several cores."""
    chosen = [o for o in HydraConfig.get().overrides.hydra if o.startswith("hydra/launcher=")]
    if chosen:
        return chosen[-1].split("=")[1]
    small = all(job.config.data.image_size <= 16 for job in missing)
    cpu = request.device == "cpu" or (request.device == "auto" and not has_accelerator())
    several = (os.cpu_count() or 1) > 1 and len(missing) > 1
    installed = find_spec("hydra_plugins.hydra_joblib_launcher") is not None
    return "joblib" if small and cpu and several and installed else "basic"


def has_accelerator() -> bool:
    import torch

    return torch.cuda.is_available() or torch.backends.mps.is_available()


def show_status(grid: Grid) -> None:
    Console().print(status_table(grid))


def status_table(grid: Grid) -> Table:
    """A row for each setting, plain and residual beside each other: states, steps, error so far."""
    table = Table(title=f"study {grid.name}")
    for head in (*(row.rsplit(".", 1)[-1] for row in grid.rows), "plain", "ResNet"):
        table.add_column(head)
    cells: dict[tuple[str, ...], dict[bool, list[Job]]] = {}
    for job in grid.jobs:
        flat = flattened(job.config)
        key = tuple(str(flat[row]) for row in grid.rows)
        cells.setdefault(key, {True: [], False: []})[job.config.residual].append(job)
    for key, sides in cells.items():
        table.add_row(*key, cell_text(sides[False]), cell_text(sides[True]))
    return table


def cell_text(jobs: list[Job]) -> str:
    if not jobs:
        return "-"
    text = told(Counter(state(job) for job in jobs))
    errors = [
        score["error"]
        for job in jobs
        if (score := job.run.read_summary().get("last", {}).get("train_clean"))
    ]
    if errors:
        text += f"; training error {100 * sum(errors) / len(errors):.2f} %"
    steps = [job.run.last_step() for job in jobs if state(job) == "running"]
    if steps:
        text += f"; at step {', '.join(map(str, steps))} of {jobs[0].config.recipe.steps}"
    return text
