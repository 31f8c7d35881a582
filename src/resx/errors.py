"""Errors that are the request's, not ours: one line for the person who asked."""

import difflib
from collections.abc import Iterable
from pathlib import Path


class RequestError(ValueError):
    """What was asked for cannot be done as it was asked; the message says what to change."""


class BusyError(RequestError):
    """Another process does what was asked for; in a sweep that is no failure."""


class DamagedError(RequestError):
    """A file under `outputs/` is not as resx wrote it; `reason` says in which way."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason

    def __reduce__(self) -> tuple[type, tuple[Path, str]]:
        return type(self), (self.path, self.reason)  # it crosses processes


def unknown(
    what: str, word: str, choices: Iterable[str], shown: Iterable[str] | None = None
) -> str:
    """`unknown setting 'dpeth'; did you mean 'depth'?`, or those to choose from if none is near.

    `shown` are the choices worth listing, all of them unless given.
    """
    names = list(choices)
    near = difflib.get_close_matches(word, names, n=1)
    listed = ", ".join(sorted(names if shown is None else shown))
    hint = f"did you mean '{near[0]}'?" if near else f"there is {listed}"
    return f"unknown {what} '{word}'; {hint}"
