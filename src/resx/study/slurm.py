"""Slurm's queue as a study needs it: which of its jobs wait or work there, how many can at once."""

import json
import math
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from resx.config.notes import Ticket
from resx.errors import RequestError
from resx.study.grid import Job

SLURM = "submitit_slurm"
FOLDER = ".submitit"  # in a sweep's folder: submitit's scripts, pickles and logs
# What a person may type instead of what is asked for; Slurm takes one of them.
INSTEAD = {"mem_gb": ("mem_per_cpu", "mem_per_gpu"), "gpus_per_node": ("gres", "gpus_per_task")}
RUNS = "runs.json"  # in a sweep's folder: the run directory of every job, in order


def note_runs(sweep: Path, jobs: Iterable[Job]) -> None:
    """Keep in a sweep's folder which runs its jobs train."""
    (sweep / RUNS).write_text(json.dumps([str(job.run.directory.absolute()) for job in jobs]))


def submitted(sweep: Path) -> int:
    """How many jobs of a sweep Slurm has with all that they need."""
    return sum(1 for _ in (sweep / FOLDER).glob("*/*_submitted.pkl"))


def queue() -> dict[Ticket, str] | None:
    """The ids of all jobs of this user that sweeps submitted and that wait or work.

    None if Slurm's controller does not answer.
    """
    command = ["squeue", "--me", "--noheader", "--array", "--format=%i %o"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return None
    found = {}
    for line in done.stdout.splitlines():
        job, _, script = line.strip().partition(" ")
        if Path(script).parent.name == FOLDER:
            found[Ticket(Path(script).parents[1], int(job.partition("_")[2] or 0))] = job
    return found


def still_queued(jobs: Iterable[Job]) -> dict[Ticket, Job]:
    """Those of the jobs that an earlier sweep submitted and that have not left the queue."""
    if shutil.which("squeue") is None:
        return {}
    wanted = {str(job.run.directory.absolute()): job for job in jobs}
    found: dict[Ticket, Job] = {}
    for ticket in queue() or {}:
        runs = ticket.sweep / RUNS
        if runs.is_file():
            directory = json.loads(runs.read_text())[ticket.number]
            if directory in wanted:
                found[ticket] = wanted.pop(directory)
    return found


def asks(
    longest: float, memory: int, workers: int, cuda: bool, options: Mapping[str, str]
) -> dict[str, str]:
    """What to ask for a job, from the `longest` run in seconds and the `memory` of one in bytes.

    Nothing of what the `options` say that were typed. A run that needs longer is queued again and
    goes on, so the time need not be exact; memory must not be too little. Of an unknown time (0)
    submitit's own hour holds.
    """
    wanted = {"cpus_per_task": workers + 1, "mem_gb": 1 + workers + math.ceil(1.5 * memory / 2**30)}
    if longest:
        wanted["timeout_min"] = 5 * math.ceil((2 * longest + 300) / 300)
    if cuda:
        wanted["gpus_per_node"] = 1
    free = [name for name in wanted if options.keys().isdisjoint((name, *INSTEAD.get(name, ())))]
    return {name: str(wanted[name]) for name in free}


def places(options: Mapping[str, str]) -> int:
    """How many jobs of one run each the nodes of the partition have room for."""
    command = ["sinfo", "--noheader", "--Node", "--format=%N|%c|%G|%P"]
    if partition := options.get("partition"):
        command.append(f"--partition={partition}")
    done = subprocess.run(command, capture_output=True, text=True)
    gpus_each = int(number(options, "gpus_per_node", 0))
    total = 0
    nodes = {line.rpartition("|") for line in done.stdout.splitlines()}
    # Without a name it is the partition with a star.
    for line in {node for node, _, name in nodes if partition or name.endswith("*")}:
        _, cpus, resources = line.split("|")
        room = int(cpus) // max(int(number(options, "cpus_per_task", 1)), 1)
        if gpus_each:
            gpus = sum(map(int, re.findall(r"gpu(?::[^:,(]+)?:(\d+)", resources)))
            room = min(room, gpus // gpus_each)
        total += room
    return min(total, int(number(options, "array_parallelism", 256)))


def number(options: Mapping[str, str], name: str, otherwise: float) -> float:
    """An option of a launcher that counts. Raises `RequestError` for one that does not."""
    try:
        return float(options.get(name, otherwise))
    except ValueError:
        raise RequestError(f"hydra.launcher.{name}={options[name]}: must be a number") from None
