"""A disk that is full at each write in turn: one line that says so, and the run goes on later."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from faults_child import Outcome, resx
from faults_kills import results
from faults_store import TINY

PAGE = 4096  # bytes, in which a tmpfs is counted
ROOM = 64 * 2**20
TRAIN = ("train", "depth=8", "seed=0", *TINY)


class Full(NamedTuple):
    """`sizes` of the disk were tried; `bad` are answers that are no line naming a path."""

    command: str
    sizes: int
    refused: int
    bad: list[str]
    unequal: int

    @property
    def is_good(self) -> bool:
        return not self.bad and not self.unequal


@contextmanager
def small_disk(place: Path) -> Iterator[bool]:
    """A disk of its own at `place`; False where none can be mounted."""
    place.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(place)]
    mounted = os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], check=True)


def resize(place: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(place)], check=True)


def used(place: Path) -> int:
    status = os.statvfs(place)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


def full_while_training(folder: Path, step: int) -> Full | None:
    """Every `step` pages, from an empty disk to one that holds the run. None without a disk."""
    disk, place = folder / "disk", folder / "place"
    place.mkdir(parents=True)
    with small_disk(disk) as mounted:
        if not mounted:
            return None
        command = (*TRAIN, f"outputs={disk / 'outputs'}")
        resx(*command, place=place)
        whole, need = results(disk / "outputs"), used(disk)
        sizes = range(PAGE, need + step * PAGE, step * PAGE)
        refused, bad, unequal = 0, list[str](), 0
        for size in sizes:
            shutil.rmtree(disk / "outputs", ignore_errors=True)
            resize(disk, size)
            outcome = resx(*command, place=place)
            refused += outcome.code != 0
            if not is_said(outcome, disk):
                bad.append(f"{size} bytes: {outcome.err or outcome.out}")
            resize(disk, ROOM)
            resx(*command, place=place)
            unequal += results(disk / "outputs") != whole
        return Full("train", len(sizes), refused, bad, unequal)


def full_afterwards(folder: Path, name: str, *command: str, step: int) -> Full | None:
    """The same for a command that reads a run and writes what it found."""
    disk, place = folder / f"disk-{name}", folder / f"place-{name}"
    place.mkdir(parents=True)
    with small_disk(disk) as mounted:
        if not mounted:
            return None
        outputs = disk / "outputs"
        resx(*TRAIN, f"outputs={outputs}", place=place)
        before = used(disk)
        asked = (*command, f"runs={outputs}/runs/*/*/*", f"outputs={outputs}")
        resx(*asked, place=place)
        sizes = range(before, used(disk) + step * PAGE, step * PAGE)
        refused, bad = 0, list[str]()
        for size in sizes:
            written = [path for path in outputs.iterdir() if path.name != "runs"]
            for path in (*written, *outputs.glob("runs/*/*/*/analyses")):
                shutil.rmtree(path)
            resize(disk, size)
            outcome = resx(*asked, place=place)
            refused += outcome.code != 0
            if not is_said(outcome, disk):
                bad.append(f"{size} bytes: {outcome.err or outcome.out}")
            resize(disk, ROOM)
        return Full(name, len(sizes), refused, bad, 0)


def is_said(outcome: Outcome, disk: Path) -> bool:
    """Done, or refused in one line with the reason and a path on that disk."""
    line = outcome.err
    said = outcome.code == 2 and "the disk is full" in line and str(disk) in line
    return outcome.is_proper and (outcome.code == 0 or said)
