"""A set of runs as one Hydra sweep in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from rich.console import Console
from rich.live import Live

from resx.study.grid import Grid, Job
from resx.study.status import key_of, status_table
from resx.training.interruption import stop_signals

REFRESH = 2.0  # seconds between looks at the run directories
STOPPED = (130, 143, -signal.SIGINT, -signal.SIGTERM)  # exit codes of a stopped sweep


def launch(grid: Grid, jobs: list[Job], outputs: str, launcher: str) -> dict[str, str]:
    """One Hydra sweep over exactly these jobs, in a process of its own; its notes on failures."""
    place = Path(outputs, "studies", grid.name, time.strftime("%Y-%m-%d_%H-%M-%S"))
    place = place.with_name(f"{place.name}-{os.getpid()}")
    place.mkdir(parents=True, exist_ok=True)
    (place / "jobs.json").write_text(json.dumps([job.overrides for job in jobs], indent=1))
    command = [sys.executable, "-m", "resx", "train", "--multirun", "hydra/sweeper=resx_jobs"]
    command += [f'hydra.sweeper.jobs="{place / "jobs.json"}"', f'hydra.sweep.dir="{place}"']
    command += list(HydraConfig.get().overrides.hydra)
    command += config_dirs()
    if launcher == "joblib" and "hydra/launcher=joblib" not in command:
        command.append("hydra/launcher=joblib")
    watched = sys.stdout.isatty()
    with (place / "train.log").open("w") as output:
        stream = output if watched else None
        # in a group of its own: signals reach it once, from us
        process = subprocess.Popen(command, stdout=stream, stderr=stream, process_group=0)
        with stop_signals() as stopped:
            if watched:
                with Live(status_table(grid), console=Console(), auto_refresh=False) as live:
                    wait_for(process, stopped, partial(show_live, live, grid))
            else:
                wait_for(process, stopped, lambda: None)
            if stopped():
                raise KeyboardInterrupt(stopped())
    if process.returncode in STOPPED:
        raise KeyboardInterrupt
    return failures(place, jobs)


def show_live(live: Live, grid: Grid) -> None:
    live.update(status_table(grid), refresh=True)


def wait_for(
    process: "subprocess.Popen[bytes]", stopped: Callable[[], str], look: Callable[[], None]
) -> None:
    """Until the sweep ends; a signal that this process got is passed on, and the sweep saves."""
    passed_on = False
    next_look = time.monotonic()
    while process.poll() is None:
        if stopped() and not passed_on:
            os.killpg(process.pid, signal.SIGINT)  # the launcher's workers too: they save
            passed_on = True
        if time.monotonic() >= next_look:
            look()
            next_look += REFRESH
        time.sleep(0.1)
    look()


def config_dirs() -> list[str]:
    """`--config-dir` again, for the sweep's own process."""
    sources = HydraConfig.get().runtime.config_sources
    return [x for s in sources if s.provider == "command-line" for x in ("--config-dir", s.path)]


def failures(place: Path, jobs: list[Job]) -> dict[str, str]:
    notes = {}
    for path in (place / "jobs").glob("*.json"):
        note = json.loads(path.read_text())
        if note["code"]:
            notes[key_of(jobs[int(path.stem)])] = note["message"]
    return notes
