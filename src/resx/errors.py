"""Errors that are the request's, not ours: one line for the person who asked."""

import difflib
from collections.abc import Iterable


class RequestError(ValueError):
    """What was asked for cannot be done as it was asked; the message says what to change."""


class BusyError(RequestError):
    """Another process does what was asked for; in a sweep that is no failure."""


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
