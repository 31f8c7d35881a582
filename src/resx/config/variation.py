"""Many configurations that differ from one another in a few settings, without composing each."""

import copy
from dataclasses import fields, is_dataclass, make_dataclass
from typing import Any, get_type_hints

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

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
    copy with those values, whose range checks run again.
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
        # The study is the same for all its cells, and the largest part.
        config = copy.deepcopy(common, {id(common.study): common.study})
        for key, line in lines.items():
            if key not in GROUPS:
                self._set(config, key, line)
        _check_again(config)
        return config

    def _of_groups(self, groups: tuple[str, ...]) -> TrainConfig | None:
        """None where a setting follows another one by `${...}`: then only Hydra can tell."""
        if groups not in self._composed:
            refuse_foreign_choices([*self.base, *groups])
            raw = compose_raw([*self.base, *groups])
            known = None if has_interpolations(raw) else validated(raw, TrainConfig)
            self._composed[groups] = known
        return self._composed[groups]

    def _set(self, config: TrainConfig, key: str, line: str) -> None:
        *path, last = key.split(".")
        place: Any = config
        for name in path:
            place = place[name] if isinstance(place, dict) else getattr(place, name, None)
        known = list(place) if isinstance(place, dict) else [f.name for f in _fields(place)]
        if last not in known:
            raise RequestError(unknown("setting", key, [".".join((*path, k)) for k in known]))
        if (type(place), line) not in self._converted:
            self._converted[type(place), line] = _converted(type(place), key, line)
        value = copy.deepcopy(self._converted[type(place), line])
        if isinstance(place, dict):
            place[last] = value
        else:
            setattr(place, last, value)


def _fields(place: Any) -> tuple[Any, ...]:
    return fields(place) if is_dataclass(place) else ()


def _converted(schema: type, key: str, line: str) -> Any:
    """The value of an override in the type that its setting has; a component checks its own.

    Raises `RequestError` for a value that is of no such type.
    """
    value, name = next(parse([line])).value, key.rpartition(".")[2]
    if schema is dict:
        return value
    single = make_dataclass("Single", [(name, get_type_hints(schema)[name])])
    try:
        return OmegaConf.to_container(OmegaConf.structured(single(value)))[name]  # type: ignore
    except OmegaConfBaseException as error:
        raise RequestError(f"{line}: {str(error).splitlines()[0]}") from error


def spelled(value: Any) -> str:
    """A yaml's value as it would be typed."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_again(config: Any) -> None:
    """Settings that are fine one by one may not go together."""
    for item in fields(config):
        if is_dataclass(value := getattr(config, item.name)):
            _check_again(value)
    config.__post_init__()
