"""Checks of values, and messages that name the setting and the choices."""

import math
import re
from collections.abc import Iterable
from typing import ClassVar, NoReturn

from omegaconf import MISSING

from resx.errors import RequestError


def one_of(setting: str, value: object, choices: Iterable[object]) -> None:
    """Raises `RequestError`, naming the choices, for a value that is none of them."""
    listed = list(choices)
    if value not in listed:
        raise RequestError(f"{setting}={value}: must be one of {', '.join(map(str, listed))}")


def at_least(setting: str, value: float, minimum: float) -> None:
    """Raises `RequestError` for a smaller value."""
    if value < minimum:
        raise RequestError(f"{setting}={value}: must be at least {minimum}")


def refuse_path(setting: str, name: str) -> None:
    """Names become folders under `outputs/`: raises `RequestError` for one that leads elsewhere."""
    if name == MISSING:
        return
    if not re.fullmatch(r"[^\W_][^/\\\0]{0,99}", name) or ".." in name:
        raise RequestError(
            f"{setting}={name}: must be a plain name of at most 100 characters, no path"
        )


class Checked:
    """Range checks whose messages name a value as it is typed: `recipe.steps=0: ...`."""

    group: ClassVar[str] = ""
    choices: ClassVar[dict[str, tuple[object, ...]]] = {}  # of settings that are one of a few

    def __post_init__(self) -> None:
        """The checks of a class; those that go through several settings, too."""

    def refuse(self, name: str, rule: str) -> NoReturn:
        raise RequestError(f"{self.group}{name}={getattr(self, name)}: {rule}")

    def at_least(self, minimum: float, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            if value in (None, MISSING):
                continue
            if isinstance(value, float) and not math.isfinite(value):
                self.refuse(name, f"must be a finite number, at least {minimum}")
            if value < minimum:
                self.refuse(name, f"must be at least {minimum}")

    def share(self, *names: str) -> None:
        """Raises `RequestError` for what is not above 0 and at most 1."""
        for name in names:
            if not 0 < getattr(self, name) <= 1:  # refuses NaN too
                self.refuse(name, "must be above 0 and at most 1")

    def one_of_its_choices(self) -> None:
        """Raises `RequestError` for a setting whose value is none of its `choices`."""
        for name, allowed in self.choices.items():
            one_of(f"{self.group}{name}", getattr(self, name), allowed)
