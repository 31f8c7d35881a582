"""What `resx study status=true` and `resx report` cost over many runs, as Markdown.

    python scripts/large_store.py                     # 10,000 runs: a quarter of an hour, 0.3 GB
    python scripts/large_store.py --runs 1000 --keep FOLDER

The eight networks of the degradation study are trained with one seed. Their run directories are
then copied under other seeds, with errors and losses that differ a little; weights are not copied,
as neither command reads them. Processor time is what this machine's other work cannot change much.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from resx.config.run_hash import run_hash
from resx.config.schema import TrainConfig
from resx.config.settings import from_stored
from resx.store.files import CONFIG, HYDRA, RECORDS, SUMMARY
from resx.store.integrity import checksums
from resx.store.run import Run
from resx.store.store import Store
from resx.store.summary import Score

STUDY = "degradation"
KINDS = 8  # networks of the study
SPREAD = 0.1  # of losses, between seeds, in proportion
MEGABYTE = 1024  # kB


class Cost(NamedTuple):
    """Seconds of the processor and of the clock, and the most memory in MB."""

    processor: float
    wall: float
    memory: float


def resx(place: Path, *arguments: str) -> Cost:
    """A command in a process of its own. Raises CalledProcessError if it fails."""
    command = [sys.executable, "-m", "resx", *arguments]
    started = time.perf_counter()
    with (place / "output.txt").open("w") as output:
        process = subprocess.Popen(command, cwd=place, stdout=output, stderr=output)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        said = (place / "output.txt").read_text()
        raise subprocess.CalledProcessError(process.returncode, command, said)
    wall = time.perf_counter() - started
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / MEGABYTE)


def make_store(place: Path, runs: int) -> None:
    """The study with `runs / 8` seeds, one of them trained."""
    resx(place, "study", STUDY, "seed=0")
    store = Store(place / "outputs")
    for original in store.runs():
        for seed in range(1, runs // KINDS):
            copy_run(original, seed, store)


def copy_run(original: Run, seed: int, store: Store) -> None:
    """As if the network had been trained with another seed, and had come a little elsewhere."""
    stored, _, records = original.read_contents()
    hash = run_hash(from_stored(stored | {"seed": seed}, TrainConfig))
    copy = Run(original.directory.with_name(f"s{seed}-{hash}"), store.outputs)
    (copy.directory / HYDRA).mkdir(parents=True, exist_ok=True)
    for name in (CONFIG, f"{HYDRA}/overrides.yaml"):
        text = (original.directory / name).read_text()
        (copy.directory / name).write_text(re.sub(r"\bseed([:=] ?)0\b", rf"seed\g<1>{seed}", text))
    draws = random.Random(f"{hash}")
    others = [record | elsewhere(record, draws) for record in records]
    (copy.directory / RECORDS).write_text("".join(json.dumps(r) + "\n" for r in others))
    last = {r["split"]: Score(r["step"], r["loss"], r["error"]) for r in others}
    summary = original.read_summary().but(seed=seed, hash=hash, final=last, last=last)
    summary = summary.but(checksums=checksums(copy.directory))
    (copy.directory / SUMMARY).write_text(summary.to_json())


def elsewhere(record: dict[str, Any], draws: random.Random) -> dict[str, float]:
    """Loss and error of a record of another seed."""
    factor = 1 + draws.uniform(-SPREAD, SPREAD)
    return {"loss": record["loss"] * factor, "error": min(record["error"] * factor, 1.0)}


def rows(place: Path, runs: int) -> dict[str, Cost]:
    """Each command, and what it took."""
    grid = (STUDY, f"seed=range({runs // KINDS})")
    commands = {
        "resx study NAME status=true": ("study", *grid, "status=true"),
        "resx report NAME": ("report", *grid),
        "resx report runs=outputs/runs/**": ("report", "runs=outputs/runs/**"),
    }
    return {name: resx(place, *command) for name, command in commands.items()}


def main(arguments: Sequence[str]) -> int:
    """Writes the table to standard output; with `--json` for programs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=10_000, help="a multiple of 8")
    parser.add_argument("--keep", type=Path, help="a folder for the store; there already: used")
    parser.add_argument("--json", action="store_true", help="for programs")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        place = asked.keep or Path(scratch)
        place.mkdir(parents=True, exist_ok=True)
        if not (place / "outputs").exists():
            make_store(place, asked.runs)
        costs = rows(place, asked.runs)
    if asked.json:
        print(json.dumps({name: cost._asdict() for name, cost in costs.items()}))
        return 0
    print(f"{asked.runs:,} runs, {os.cpu_count()} processors:\n")
    print("| command | processor, s | clock, s | memory, MB |\n|---|---|---|---|")
    for name, cost in costs.items():
        print(f"| `{name}` | {cost.processor:.1f} | {cost.wall:.1f} | {cost.memory:.0f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
