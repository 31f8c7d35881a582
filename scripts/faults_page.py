"""docs/reliability.md: how often each damage ended how."""

import platform
import subprocess
import time
from collections import Counter

from faults_cases import COMMANDS, Case
from faults_disk import Full
from faults_kills import Kills

HEAD = """# Reliability

Written by `{command}` on {day}, commit {commit}, torch {torch}, {machine}.

Some fifty small real runs are trained, one file of them is damaged, one command is run, and all is
put back; each case depends on its seed and number alone (`--show NUMBER` repeats it). Endings:

- **answered**: the command did what was asked of the rest, and named the damage if it mattered; or
  refused in one line with exit code 2;
- **repaired**: the run was made whole from what was left, and equals the undamaged one;
- **retrained**: nothing was left to go on from; what there was lies under `outputs/aside/`, and the
  new run equals the undamaged one;
- **bad**: a traceback, a silent other result, more than a minute or two gigabytes, or a change in
  any other run (all other run directories are hashed before and after).
"""
DAMAGES = {
    "truncate": "cut at a random byte",
    "flip": "one to three bits flipped",
    "zeros": "a block of zeros",
    "replace": "another text, or noise",
    "sibling": "the same file of another run",
    "delete": "deleted",
    "other_kind": "a folder, a pipe, a link in its place",
    "grow": "bytes behind its end, or a hole of ten gigabytes",
    "value": "JSON or YAML with junk for a value, without a checksum",
    "content": "a checkpoint, whole as a file, with junk in it",
    "lost": "the run directory gone, emptied, or something else",
}


def page(command: str, cases: list[Case], kills: list[Kills], disks: list[Full]) -> str:
    import torch

    commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], capture_output=True)
    head = HEAD.format(
        command=command,
        day=time.strftime("%Y-%m-%d"),
        commit=commit.stdout.decode().strip() or "unknown",
        torch=torch.__version__,
        machine=f"{platform.machine()} {platform.system()}",
    )
    total = Counter(case.ending for case in cases)
    parts = [head, f"{len(cases)} cases: {said(total)}.\n", *_case_tables(cases)]
    return "\n".join([*parts, *_kill_table(kills), *_disk_table(disks)])


def said(endings: Counter[str]) -> str:
    """`12 answered, 3 repaired, 0 bad`; the bad ones always, were they none."""
    kinds = [kind for kind in ("answered", "repaired", "retrained") if endings[kind]]
    return ", ".join(f"{endings[kind]} {kind}" for kind in (*kinds, "bad"))


def _case_tables(cases: list[Case]) -> list[str]:
    by_damage = [
        [DAMAGES[name], *(_cell(cases, name, command) for command in COMMANDS)]
        for name in DAMAGES
        if any(case.damage == name for case in cases)
    ]
    by_file = [
        [f"`{name}`", said(Counter(case.ending for case in cases if case.file == name))]
        for name in sorted({case.file for case in cases})
    ]
    return [
        "## By damage and command\n",
        table(["damage", *(f"`{_typed(command)}`" for command in COMMANDS)], by_damage),
        "## By file\n",
        table(["file", "endings"], by_file),
    ]


def _typed(command: str) -> str:
    return {"study": "study status=true", "analyze": "analyze responses"}.get(command, command)


def _cell(cases: list[Case], damage: str, command: str) -> str:
    found = [c.ending for c in cases if (c.damage, c.command) == (damage, command)]
    return said(Counter(found)) if found else "-"


def _kill_table(kills: list[Kills]) -> list[str]:
    rows = []
    for each in kills:
        signals = ", ".join(f"{n} {name}" for name, n in each.by_signal.items()) or "none"
        rows.append([each.what, signals, *map(str, (each.ends, each.unequal, each.tracebacks))])
    words = ["what", "signals", "ends", "unequal to the undisturbed", "tracebacks"]
    text = "Signals come at random moments of a command that is begun again until it ends.\n"
    return ["## Kills, and several processes\n", text, table(words, rows)] if rows else []


def _disk_table(disks: list[Full]) -> list[str]:
    rows = [
        [f"`{d.command}`", *map(str, (d.sizes, d.refused, len(d.bad), d.unequal))] for d in disks
    ]
    words = ["command", "sizes of the disk", "refused", "not in one line with the path"]
    words.append("unequal once there was room")
    if not rows:
        return ["## A full disk\n", "No disk could be mounted here.\n"]
    return ["## A full disk\n", table(words, rows)]


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def is_good(cases: list[Case], kills: list[Kills], disks: list[Full]) -> bool:
    everything: list[Case | Kills | Full] = [*cases, *kills, *disks]
    return all(each.is_good for each in everything)
