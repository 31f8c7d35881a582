"""What the studies found, as one page: writes docs/studies.md from the run store.

python scripts/studies.py --seeds 5              # those below, as far as their runs are there
python scripts/studies.py --outputs PATH --print degradation lr_fairness

It trains nothing: `resx study NAME 'seed=range(5)'` does. Each report is made anew; a study that is
not complete in this store keeps its earlier row.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pandas as pd

PAGE = Path(__file__).parents[1] / "docs" / "studies.md"
STUDIES = (
    "degradation",
    "degradation_long",
    "lr_fairness",
    "batch_norm",
    "batch_size",
    "shortcuts",
    "families",
    "preact_depth",
    "identity_variants",
    "wide_vs_deep",
    "cardinality",
    "dense_chain",
    "highway_depth",
    "vit_skips",
    "zero_init",
)
HEAD = """# Studies

Written by `{command}` (scripts/studies.py) from the runs of a store: the verdicts
of every study as they were computed, by the rules of [statistics.md](statistics.md). A study that
is not complete in that store keeps what an earlier call wrote, with its machine and its commit.

| study | verdicts | runs | instruction set | torch | commit |
| --- | --- | --- | --- | --- | --- |
"""


class Told(NamedTuple):
    """A study's row of the table, and its sentences."""

    row: str
    section: str


def tell(study: str, seeds: int, outputs: Path) -> Told:
    """Of so many seeds if all their runs are there, else of its own; else that it is open."""
    open_one = ""
    for typed in ([f"seed=range({seeds})"], []):
        done = report(study, typed, outputs)
        if done.returncode:
            open_one = done.stderr.strip().splitlines()[-1]
            continue
        told = [line[2:] for line in done.stdout.splitlines() if line.startswith("* ")]
        open_one = unfinished(told)
        if not open_one:
            folder = Path(done.stdout.strip().splitlines()[-1].removeprefix("page: ")).parent
            return complete(study, folder, told)
    return Told(f"| {study} | not measured yet: {open_one} | | | | |", "")


def unfinished(told: list[str]) -> str:
    """The sentence on runs that have no result yet; empty if all are finished or diverged."""
    for line in told:
        states = (
            set(re.findall(r"\d+ ([a-z][a-z ]*)", line)) if line.startswith("Runs: ") else set()
        )
        if states - {"finished", "diverged"}:
            return line
    return ""


def earlier(page: str) -> dict[str, Told]:
    """What a page says of the studies that were complete when it was written."""
    sections = re.split(r"^(?=## )", page, flags=re.MULTILINE)[1:]
    said = {text.split()[1]: f"\n{text.rstrip()}" for text in sections}
    rows = dict(re.findall(r"^(?=\| \[(\w+)\]\(#)(.*)$", page, re.MULTILINE))
    return {study: Told(rows[study], said[study]) for study in rows if study in said}


def report(study: str, typed: list[str], outputs: Path) -> "subprocess.CompletedProcess[str]":
    command = ["report", f"study={study}", *typed, f"outputs={outputs}"]
    return subprocess.run(
        [sys.executable, "-m", "resx", *command], capture_output=True, text=True, check=False
    )


def complete(study: str, folder: Path, told: list[str]) -> Told:
    """From the files of its report; `told` are the sentences that it printed."""
    runs = pd.read_csv(folder / "runs.csv")
    verdicts = json.loads((folder / "verdicts.json").read_text())
    answers = "; ".join(
        f"{v['scope'] and v['scope'] + ': '}{v['id']} **{v['answer']}**" for v in verdicts
    )
    states = ", ".join(f"{n} {status}" for status, n in runs["status"].value_counts().items())
    states += f", {runs['seed'].nunique()} seeds"
    made = " | ".join(distinct(runs[column]) for column in ("capability", "torch", "commit"))
    lines = [f"- **{v['answer']}** {v['text']}" for v in verdicts]
    lines += [f"- {note}" for note in told[len(verdicts) :]]
    row = f"| [{study}](#{study}) | {answers} | {states} | {made} |"
    return Told(row, "\n".join([f"\n## {study}\n", *lines]))


def distinct(column: "pd.Series[str]") -> str:
    return ", ".join(str(v)[:12] for v in sorted(column.dropna().unique()))


def command(asked: argparse.Namespace) -> str:
    """What makes this page again; where the store lies is no part of it."""
    typed = ["python scripts/studies.py", f"--seeds {asked.seeds}"]
    typed += ["--outputs OUTPUTS"] * (asked.outputs != Path("outputs"))
    return " ".join([*typed, *(asked.studies if tuple(asked.studies) != STUDIES else ())])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("studies", nargs="*", default=STUDIES)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--outputs", type=Path, default=Path("outputs"))
    parser.add_argument("--print", action="store_true", dest="prints", help="do not write the page")
    asked = parser.parse_args()
    known = earlier(PAGE.read_text()) if PAGE.exists() else {}
    told = [tell(study, asked.seeds, asked.outputs) for study in asked.studies]
    told = [
        new if new.section else known.get(study, new) for study, new in zip(asked.studies, told)
    ]
    head = HEAD.format(command=command(asked))
    sections = [each.section for each in told if each.section]
    text = head + "\n".join([*(each.row for each in told), *sections]) + "\n"
    if asked.prints:
        print(text)
    else:
        PAGE.write_text(text)


if __name__ == "__main__":
    main()
