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

from rich.console import Console
from rich.live import Live

from resx.config.composing import Typed
from resx.store.store import Store
from resx.study.grid import Grid, Job
from resx.study.status import key_of, status_table
from resx.training.interruption import stop_signals

REFRESH = 2.0  # seconds between looks at the run directories
STOPPED = (130, 143, -signal.SIGINT, -signal.SIGTERM)  # exit codes of a stopped sweep


def launch(
    grid: Grid, jobs: list[Job], store: Store, launcher: str, typed: Typed
) -> dict[str, str]:
    """One Hydra sweep over exactly these jobs, in a process of its own; its notes on failures.

    Raises KeyboardInterrupt if a signal stopped this process or the sweep; the sweep has saved.
    """
    place = store.study(grid.name)
    (place / "jobs.json").write_text(json.dumps([job.overrides for job in jobs], indent=1))
    command = [sys.executable, "-m", "resx", "train", "--multirun", "hydra/sweeper=resx_jobs"]
    command += [f'hydra.sweeper.jobs="{place / "jobs.json"}"', f'hydra.sweep.dir="{place}"']
    command += [line for line in typed.hydra if not line.startswith("hydra.mode=")]  # a RUN is ours
    command += [*(x for d in typed.config_dirs for x in ("--config-dir", d))]
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


def failures(place: Path, jobs: list[Job]) -> dict[str, str]:
    notes = {}
    for path in (place / "jobs").glob("*.json"):
        note = json.loads(path.read_text())
        if note["code"]:
            notes[key_of(jobs[int(path.stem)])] = note["message"]
    return notes
