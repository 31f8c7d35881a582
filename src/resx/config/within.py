"""A command asked for from within another one, as if a person had typed it."""

from collections.abc import Iterable
from typing import Any

from resx.config.composing import Setting, Typed, compose_raw, parse
from resx.config.job import gather_sweeps
from resx.config.requests import COMMANDS
from resx.config.settings import validated


def asked(command: str, lines: Iterable[str], outer: Typed) -> tuple[Any, Typed]:
    """The checked request of `resx COMMAND LINES...`, and what counts as typed.

    Of Hydra's own settings those of the outer command hold. Raises as typing it would.
    """
    gathered = gather_sweeps(list(lines))
    composed = compose_raw(gathered, command)
    settings = tuple(parse(gathered))
    choices: dict[str, str | None] = {s.key: s.value for s in settings if isinstance(s.value, str)}
    typed = Typed(settings, outer.hydra, outer.config_dirs, choices, False, composed)
    return validated(composed, COMMANDS[command]), typed


def overridden(lines: Iterable[str], typed: Iterable[Setting]) -> list[str]:
    """The lines, but of each setting that was typed what was typed."""
    given = {setting.key: setting.line for setting in parse(lines)}
    return list((given | {setting.key: setting.line for setting in typed}).values())
