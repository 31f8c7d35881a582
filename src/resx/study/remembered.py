"""What was typed beside a study's name, kept in the store, so that its state can be asked later."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

from resx.config.composing import Typed
from resx.config.refusals import one_line
from resx.config.requests import StudyRequest
from resx.config.within import asked
from resx.store.store import Store
from resx.store.writing import replace_text
from resx.study.grid import Grid, expand

log = logging.getLogger(__name__)

WRONG = (OSError, ValueError, KeyError, TypeError)  # of a file that is none of ours
NO_NOTE = "it is no note of what was typed"


def remember(grid: Grid, request: StudyRequest, typed: Typed) -> None:
    """Note a grid that is about to be run."""
    lines = [line for line in grid.typed if not line.startswith("outputs=")]  # the store may move
    note = {"study": typed.choices["study"], "typed": lines}
    replace_text(Store(request.outputs).study_note(grid.name), json.dumps(note, indent=1) + "\n")


def _noted(path: Path, request: StudyRequest, typed: Typed) -> Grid | None:
    """The grid of a note; None if it is of another study. Raises whatever it leads to."""
    note = json.loads(path.read_text())
    if note["study"] != typed.choices["study"]:
        return None
    lines = [f"study={note['study']}", *map(str, note["typed"])]
    found, as_typed = asked("study", lines, typed)
    found.outputs = request.outputs
    return expand(found, as_typed)


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
                other = _noted(path, request, typed)
            except Exception as error:  # of a note of another version, or none of ours
                line = NO_NOTE if isinstance(error, WRONG) else one_line(error, "study")
                if line is None:
                    raise
                log.warning("%s: left out, %s", path, line)
                continue
            if other is not None:
                others[other.name] = other
    if grid.name in others or not others or any(job.run.directory.is_dir() for job in grid.jobs):
        yield grid
    yield from (other for name, other in sorted(others.items()) if name != grid.name)
