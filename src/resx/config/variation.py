"""Many configurations that differ from one another in a few settings, without composing each."""

import copy
import re
from dataclasses import fields, is_dataclass, make_dataclass
from functools import cache
from typing import Any, get_type_hints

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from resx.config.checks import Checked
from resx.config.composing import compose_raw, has_interpolations, parse
from resx.config.foreign_code import refuse_foreign_choices
from resx.config.schema import TrainConfig
from resx.config.settings import validated
from resx.errors import RequestError, unknown

GROUPS = ("data", "model", "recipe", "experiment")


class Variation:
    """Configurations of `resx train` around the overrides `base`.

    Hydra takes 60 ms to compose one, which is a minute for a grid of a thousand; but all cells of
    a grid that choose the same groups differ in plain settings alone. So each combination of
    groups is composed once, each value is converted to its setting's type once, and a cell is a
    copy with those values, whose range checks run again. What a cell does not set it shares with
    the others: nothing may change a configuration.
    """

    def __init__(self, base: list[str]) -> None:
        self.base = base
        self._composed: dict[tuple[str, ...], TrainConfig | None] = {}
        self._converted: dict[tuple[type, str], Any] = {}

    def config(self, cell: dict[str, Any]) -> TrainConfig:
        """As if the cell's settings had been typed behind the base.

        Raises `RequestError` or Hydra's errors as composing would.
        """
        lines = {key: f"{key}={spelled(value)}" for key, value in cell.items()}
        common = self._of_groups(tuple(line for key, line in lines.items() if key in GROUPS))
        if common is None:
            return validated(compose_raw([*self.base, *lines.values()]), TrainConfig)
        config, fresh = copy.copy(common), set[str]()
        for key, line in lines.items():
            if key not in GROUPS:
                self._set(config, fresh, key, line)
        for group in fresh:  # settings that are fine one by one may not go together
            if isinstance(place := getattr(config, group, None), Checked):
                place.__post_init__()
        config.__post_init__()
        return config

    def _of_groups(self, groups: tuple[str, ...]) -> TrainConfig | None:
        """None where a setting follows another one by `${...}`: then only Hydra can tell."""
        if groups not in self._composed:
            refuse_foreign_choices([*self.base, *groups])
            raw = compose_raw([*self.base, *groups])
            known = None if has_interpolations(raw) else validated(raw, TrainConfig)
            self._composed[groups] = known
        return self._composed[groups]

    def _set(self, config: TrainConfig, fresh: set[str], key: str, line: str) -> None:
        """Set one value; the groups on its way are copied, unless they are `fresh` already."""
        *path, last = key.split(".")
        place: Any = config
        for i, name in enumerate(path):
            inner = place.get(name) if isinstance(place, dict) else getattr(place, name, None)
            if inner is not None and (so_far := ".".join(path[: i + 1])) not in fresh:
                inner = copy.copy(inner)
                fresh.add(so_far)
                _put(place, name, inner)
            place = inner
        known = list(place) if isinstance(place, dict) else [f.name for f in _fields(place)]
        if last not in known:
            raise RequestError(unknown("setting", key, [".".join((*path, k)) for k in known]))
        if (type(place), line) not in self._converted:
            self._converted[type(place), line] = _converted(type(place), key, line)
        _put(place, last, self._converted[type(place), line])


def _put(place: Any, name: str, value: Any) -> None:
    if isinstance(place, dict):
        place[name] = value
    else:
        setattr(place, name, value)


def _fields(place: Any) -> tuple[Any, ...]:
    return fields(place) if is_dataclass(place) else ()


def _converted(schema: type, key: str, line: str) -> Any:
    """The value of an override in the type that its setting has; a component checks its own.

    Raises `RequestError` for a value that is of no such type.
    """
    typed, name = line.partition("=")[2], key.rpartition(".")[2]
    # Seeds, most of the values of a large grid, need neither parser nor conversion.
    value = int(typed) if re.fullmatch("0|[1-9][0-9]*", typed) else next(parse([line])).value
    if schema is dict or (type(value) is int and _type_of(schema, name) is int):
        return value
    try:
        return OmegaConf.to_container(OmegaConf.structured(_single(schema, name)(value)))[name]  # type: ignore
    except OmegaConfBaseException as error:
        raise RequestError(f"{line}: {str(error).splitlines()[0]}") from error


@cache
def _single(schema: type, name: str) -> type:
    """A configuration of one setting alone, whose type converts its values."""
    return make_dataclass("Single", [(name, _type_of(schema, name))])


@cache
def _type_of(schema: type, name: str) -> Any:
    return get_type_hints(schema)[name]


def spelled(value: Any) -> str:
    """A yaml's value as it would be typed."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
