"""Hydra's part: composing configurations, and what was typed, in forms that need no Hydra."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from resx.config.location import conf_dir
from resx.config.requests import COMMANDS
from resx.config.schema import TrainConfig
from resx.config.settings import validated
from resx.errors import RequestError


class Setting(NamedTuple):
    """One override as it was typed: `line` whole, `values` of a sweep, else None.

    Of an interval, in which an optimising sweeper chooses, the values are its ends.
    """

    key: str
    line: str
    value: Any
    values: tuple[str, ...] | None


@dataclass(frozen=True)
class Typed:
    """What a person typed after a command.

    `settings` are those of the command, `hydra` those of Hydra itself, `choices` what was chosen
    of each group, by a person or by default. `files` are what Hydra would write beside a job.
    """

    settings: tuple[Setting, ...]
    hydra: tuple[str, ...]
    config_dirs: tuple[str, ...]
    choices: dict[str, str | None]
    multirun: bool
    composed: DictConfig

    @property
    def keys(self) -> list[str]:
        return [setting.key for setting in self.settings]

    def value(self, key: str) -> Any:
        """The value of a setting after composition."""
        return OmegaConf.select(self.composed, key)

    def files(self) -> dict[str, str]:
        """Hydra's own record of a job, by file name."""
        own = HydraConfig.instance().cfg
        assert own is not None
        return {
            "config.yaml": OmegaConf.to_yaml(self.composed),
            "hydra.yaml": OmegaConf.to_yaml(own),
            "overrides.yaml": OmegaConf.to_yaml(OmegaConf.create([s.line for s in self.settings])),
        }


def typed_now(composed: DictConfig) -> Typed:
    """Of the job that Hydra is running in this process."""
    current = HydraConfig.get()
    sources = current.runtime.config_sources
    return Typed(
        settings=tuple(parse(current.overrides.task)),
        hydra=tuple(current.overrides.hydra),
        config_dirs=tuple(s.path for s in sources if s.provider == "command-line"),
        choices=dict(current.runtime.choices),
        multirun=current.mode == RunMode.MULTIRUN,
        composed=composed,
    )


def trust_what_was_typed(config: Any, typed: Typed) -> None:
    """Let the packages that a person named in `trust` be found on their `--config-dir`s, too.

    Raises `RequestError` if a file names one: who writes a yaml cannot say that it is to be
    trusted. The folders come last, so that a module in them hides none that is installed.
    """
    if config.trust and "trust" not in typed.keys:
        raise RequestError(f"trust={config.trust}: counts only when it is typed, not in a file")
    if config.trust:
        sys.path += [folder for folder in typed.config_dirs if folder not in sys.path]


def parse(lines: Iterable[str]) -> Iterator[Setting]:
    """Raises Hydra's `OverrideParseException`."""
    for override in OverridesParser.create().parse_overrides(list(lines)):
        swept = override.is_sweep_override()
        yield Setting(
            override.key_or_group,
            str(override.input_line),
            None if swept else override.value(),
            tuple(map(str, _values(override))) if swept else None,
        )


def _values(override: Override) -> Iterable[Any]:
    """Of a sweep, which Hydra itself lists only if they are finitely many."""
    value = override.value()
    if isinstance(value, IntervalSweep):
        return value.start, value.end
    return override.sweep_string_iterator()


@cache
def register_schema(command: str) -> None:
    ConfigStore.instance().store(f"{command}_schema", COMMANDS[command])


def compose_raw(overrides: Iterable[str], command: str = "train") -> DictConfig:
    """Within a command's job from the folders that it has, elsewhere from our own tree."""
    register_schema(command)
    if GlobalHydra.instance().is_initialized():
        return hydra.compose(command, list(overrides))
    with hydra.initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return hydra.compose(command, list(overrides))


def compose(*overrides: str) -> TrainConfig:
    """The configuration of `resx train` with these overrides, such as "depth=56".

    Raises `RequestError` for a wrong value, Hydra's own errors for a wrong name.
    """
    return validated(compose_raw(overrides), TrainConfig)


def has_interpolations(composed: DictConfig) -> bool:
    """Whether a setting depends on another (`${...}`)."""
    return "${" in OmegaConf.to_yaml(composed)
