"""What the jobs of a sweep note in its folder, in whatever processes they ran."""

import json
import os
import sys
from pathlib import Path
from typing import NamedTuple


class Ticket(NamedTuple):
    """A job, by the folder of its sweep and its number there."""

    sweep: Path
    number: int


class Note(NamedTuple):
    """One job: `code` is None until it has ended, and stays so if its process dies.

    `elsewhere`: another process trains the same run, so that this one did nothing.
    """

    overrides: str = ""
    code: int | None = None
    message: str = ""
    elsewhere: bool = False
    process: int = 0


def claim(sweep: Path, number: int) -> bool:
    """Take a job for this process; False if another one has it."""
    path = note_path(sweep, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x") as file:
            file.write(json.dumps(Note(process=os.getpid())._asdict()) + "\n")
    except FileExistsError:
        return False
    return True


def write_note(sweep: Path, number: int, note: Note) -> None:
    path = note_path(sweep, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".tmp")
    fresh.write_text(json.dumps(note._asdict()) + "\n")
    fresh.replace(path)


def read_note(sweep: Path, number: int) -> Note | None:
    """None if the job has not begun; one without a word if it is being written."""
    try:
        text = note_path(sweep, number).read_text()
    except FileNotFoundError:
        return None
    return Note(**json.loads(text)) if text.endswith("\n") else Note()


def begun(sweep: Path) -> list[int]:
    """The numbers of all jobs that have left a note."""
    return sorted(int(path.stem) for path in (sweep / "jobs").glob("*.json"))


def note_path(sweep: Path, number: int) -> Path:
    return sweep / "jobs" / f"{number}.json"


def report(sweep: Path) -> int:
    """Name every job that failed on stderr. Returns 1 if there is one, else 0."""
    notes = [note for number in begun(sweep) if (note := read_note(sweep, number))]
    failed = [note for note in notes if note.code != 0]
    print(f"{len(notes) - len(failed)} of {len(notes)} jobs done", file=sys.stderr)
    for note in failed:
        reason = note.message or "its process died"
        print(f"failed: {note.overrides}: {reason}", file=sys.stderr)
    return 1 if failed else 0
