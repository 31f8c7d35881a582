"""What was typed beside a study's name, kept in the store, so that its state can be asked later."""

import json
from collections.abc import Iterator

from resx.config.composing import Typed
from resx.config.requests import StudyRequest
from resx.config.within import asked
from resx.store.store import Store
from resx.store.writing import replace_text
from resx.study.grid import Grid, expand


def remember(grid: Grid, request: StudyRequest, typed: Typed) -> None:
    """Note a grid that is about to be run."""
    lines = [line for line in grid.typed if not line.startswith("outputs=")]  # the store may move
    note = {"study": typed.choices["study"], "typed": lines}
    replace_text(Store(request.outputs).study_note(grid.name), json.dumps(note, indent=1) + "\n")


def same_study(grid: Grid, request: StudyRequest, typed: Typed) -> Iterator[Grid]:
    """The grid that was asked for and, if nothing of it was typed, all that were run of its study.

    The study as its yaml has it is left out where only others of it were run.
    """
    study = request.study
    assert study is not None
    others: dict[str, Grid] = {}
    if grid.name == study.name:
        for path in Store(request.outputs).study_notes():
            try:
                note = json.loads(path.read_text())
                if note["study"] != typed.choices["study"]:
                    continue
                lines = [f"study={note['study']}", *map(str, note["typed"])]
                found, as_typed = asked("study", lines, typed)
                found.outputs = request.outputs
                other = expand(found, as_typed)
            except Exception:
                continue  # whatever a note of another version, or none of ours, can raise
            others[other.name] = other
    if grid.name in others or not others or any(job.run.directory.is_dir() for job in grid.jobs):
        yield grid
    yield from (other for name, other in sorted(others.items()) if name != grid.name)
