"""Signals at random moments, and several processes at once: the result is the undisturbed one."""

import os
import signal
import time
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from faults_child import Outcome, resx, start, wait
from faults_store import result

LONG: tuple[str, ...] = ("depth=8", "model.width=2", "recipe.steps=200", "recipe.batch_size=16")
LONG += ("recipe.record_every=10", "recipe.eval_every=50", "recipe.save_every=10")
STUDY = ("study", "degradation", "seed=0", *LONG, "hydra/launcher=basic")
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
PATIENCE = 600.0  # seconds for a whole study


class Kills(NamedTuple):
    """`unequal` are ends with other records or weights than the undisturbed one."""

    what: str
    by_signal: dict[str, int]
    ends: int
    unequal: int
    tracebacks: int

    @property
    def is_good(self) -> bool:
        return not self.unequal and not self.tracebacks


def kill(what: str, command: tuple[str, ...], place: Path, count: int, seed: int) -> Kills:
    """`count` signals to one command after the other; each is begun again until it ends."""
    random = Random(seed)
    place.mkdir(parents=True)
    started = time.monotonic()
    resx(*command, "outputs=whole", place=place, seconds=PATIENCE)
    duration, whole = time.monotonic() - started, results(place / "whole")
    by_signal = {number.name: 0 for number in SIGNALS}
    ends = unequal = tracebacks = 0
    while sum(by_signal.values()) < count or ends == 0:
        outputs = f"killed{ends}"
        pid = start(*command, f"outputs={outputs}", place=place)
        number = random.choice(SIGNALS) if sum(by_signal.values()) < count else None
        outcome = struck(pid, number, random.uniform(0.0, duration), place)
        if number is not None and outcome.code != 0:
            by_signal[number.name] += 1
        elif outcome.code == 0:
            ends += 1
            unequal += results(place / outputs) != whole
        tracebacks += "Traceback" in outcome.err + outcome.out
    return Kills(what, by_signal, ends, unequal, tracebacks)


def struck(pid: int, number: signal.Signals | None, after: float, place: Path) -> Outcome:
    """What became of a process that got a signal, unless it ended before."""
    until = time.monotonic() + after
    while number is not None and time.monotonic() < until:
        time.sleep(0.01)
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            number = None  # over before
    if number is not None:
        os.kill(pid, number)
    return wait(pid, place, PATIENCE)


def results(outputs: Path) -> dict[str, Any]:
    """Of all runs below, by seed and network; a study has several."""
    found = sorted(path.parent for path in outputs.glob("runs/*/*/*/summary.json"))
    return {"/".join(path.parts[-2:]): result(path) for path in found}


def crowd(place: Path, processes: int) -> Kills:
    """One study asked for by several processes at once: each run is trained by one of them."""
    place.mkdir(parents=True)
    resx(*STUDY, "outputs=whole", place=place, seconds=PATIENCE)
    folders = [place / f"window{number}" for number in range(processes)]
    for folder in folders:
        folder.mkdir()
    together = f"outputs={place / 'together'}"
    pids = [start(*STUDY, together, place=folder) for folder in folders]
    outcomes = [wait(pid, folder, PATIENCE) for pid, folder in zip(pids, folders)]
    unequal = results(place / "together") != results(place / "whole")
    failed = sum(outcome.code != 0 for outcome in outcomes)
    tracebacks = sum("Traceback" in outcome.err + outcome.out for outcome in outcomes)
    return Kills(f"{processes} processes on one study", {}, processes, unequal + failed, tracebacks)
