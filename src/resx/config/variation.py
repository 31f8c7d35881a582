"""Many configurations that differ from one another in a few settings, without composing each."""

import copy
from dataclasses import fields, is_dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf

from resx.config.composing import compose_raw, has_interpolations, parse
from resx.config.schema import TrainConfig
from resx.config.settings import validated

GROUPS = ("data", "model", "recipe", "experiment")


class Variation:
    """Configurations of `resx train` around the overrides `base`.

    Hydra takes 60 ms to compose one, which is a minute for a grid of a thousand; but all cells of
    a grid that choose the same groups differ in plain settings alone. So each combination of
    groups is composed once, each value is converted and checked against the schema once, and a
    cell is a copy with those values, whose range checks run again.
    """

    def __init__(self, base: list[str]) -> None:
        self.base = base
        self._composed: dict[tuple[str, ...], tuple[DictConfig, TrainConfig]] = {}
        self._converted: dict[tuple[tuple[str, ...], str, str], Any] = {}

    def config(self, cell: dict[str, Any]) -> TrainConfig:
        """As if the cell's settings had been typed behind the base.

        Raises `RequestError` or Hydra's errors as composing would.
        """
        lines = {k: f"{k}={spelled(v)}" for k, v in cell.items()}
        groups = tuple(line for key, line in lines.items() if key in GROUPS)
        raw, config = self._of_groups(groups)
        if has_interpolations(raw):  # a setting may follow another one: only Hydra can tell
            return validated(compose_raw([*self.base, *lines.values()]), TrainConfig)
        config = copy.deepcopy(config)
        for key, line in lines.items():
            if key not in GROUPS:
                self._set(config, raw, groups, key, line)
        _check_again(config)
        return config

    def _of_groups(self, groups: tuple[str, ...]) -> tuple[DictConfig, TrainConfig]:
        if groups not in self._composed:
            raw = compose_raw([*self.base, *groups])
            self._composed[groups] = raw, validated(raw, TrainConfig)
        return self._composed[groups]

    def _set(
        self, config: TrainConfig, raw: DictConfig, groups: tuple[str, ...], key: str, line: str
    ) -> None:
        *path, last = key.split(".")
        known = (groups, key, line)
        if known not in self._converted:
            changed = copy.deepcopy(raw)
            OmegaConf.update(changed, key, next(parse([line])).value)
            value: Any = validated(changed, TrainConfig)
            for name in (*path, last):
                value = value[name] if isinstance(value, dict) else getattr(value, name)
            self._converted[known] = value
        place: Any = config
        for name in path:
            place = place[name] if isinstance(place, dict) else getattr(place, name)
        value = copy.deepcopy(self._converted[known])
        if isinstance(place, dict):
            place[last] = value
        else:
            setattr(place, last, value)


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
