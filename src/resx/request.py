"""Wrong requests: one line for the user, exit code 2."""

import difflib
from collections.abc import Iterable
from typing import ClassVar, NoReturn

from omegaconf import MISSING


class RequestError(ValueError):
    """The request is wrong: one line for the user, exit code 2."""


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


class Checked:
    """Range checks whose messages name a value as it is typed: `recipe.steps=0: ...`."""

    group: ClassVar[str] = ""

    def refuse(self, name: str, rule: str) -> NoReturn:
        raise RequestError(f"{self.group}{name}={getattr(self, name)}: {rule}")

    def at_least(self, minimum: float, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            if value in (None, MISSING):
                continue
            if not minimum <= value < float("inf"):  # refuses NaN too
                self.refuse(name, f"must be at least {minimum}")

    def one_of(self, name: str, choices: Iterable[object]) -> None:
        if getattr(self, name) not in choices:
            self.refuse(name, f"must be one of {', '.join(map(str, choices))}")
