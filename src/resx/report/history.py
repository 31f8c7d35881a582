"""Which reports there were before, so that seeds that were added after a look are said so."""

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import pandas as pd

from resx.config.settings import flatten
from resx.config.typed import typed
from resx.errors import DamagedError
from resx.report.mixing import SILENT
from resx.store.reading import read_file
from resx.store.writing import naming

HISTORY = "history.jsonl"


@dataclass(frozen=True)
class Entry:
    """A line: which networks, over which seeds, on which day."""

    networks: str
    seeds: list[int]
    day: str


def added_seeds(runs: pd.DataFrame, folder: Path) -> str:
    """`Seeds 3, 4 were added after a report of ...`, empty if none of the same networks had fewer.

    Looking, adding seeds and looking again finds gaps that are not there more often than stated. A
    report of fewer counts only if it was made before any that had all of these seeds.
    """
    networks, seeds = fingerprint(runs), set(map(int, runs["seed"]))
    reports = [entry for entry in read(folder / HISTORY) if entry["networks"] == networks]
    before = takewhile(lambda entry: not seeds <= set(entry["seeds"]), reports)
    fewer = [entry for entry in before if set(entry["seeds"]) < seeds]
    if not fewer:
        return ""
    last = max(fewer, key=lambda entry: len(entry["seeds"]))
    added = sorted(seeds - set(last["seeds"]))
    whose = (
        f"Seed {added[0]} was" if len(added) == 1 else f"Seeds {', '.join(map(str, added))} were"
    )
    return (
        f"{whose} added after a report of {len(last['seeds'])}"
        f" seeds ({last['day']}): together they are no fresh set."
    )


def note(runs: pd.DataFrame, folder: Path) -> None:
    """Remember this report, once for the same networks and seeds."""
    entry = {"networks": fingerprint(runs), "seeds": sorted(set(map(int, runs["seed"])))}
    if any(entry.items() <= earlier.items() for earlier in read(folder / HISTORY)):
        return
    path = folder / HISTORY
    with naming(path), path.open("a") as file:
        file.write(json.dumps(entry | {"day": time.strftime("%Y-%m-%d")}) + "\n")


def fingerprint(runs: pd.DataFrame) -> str:
    """Of all settings that decide the runs' results, but for their seeds."""
    texts = set()
    for config in runs["config"]:
        flat = flatten(config)
        kept = {k: v for k, v in flat.items() if k not in SILENT and not k.startswith("study.")}
        texts.add(json.dumps(kept, sort_keys=True, default=str))
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()[:16]


def read(path: Path) -> list[dict[str, Any]]:
    """Entries that are whole; a line that a kill has cut, or that is damaged, is no entry."""
    entries = []
    try:
        lines = read_file(path).split(b"\n")
    except DamagedError:  # none is there, or what is there is none of ours
        lines = []
    for line in lines:
        try:
            entry = typed(json.loads(line), Entry, "entry")
        except (ValueError, TypeError, RecursionError):
            continue
        entries.append(asdict(entry))
    return entries
