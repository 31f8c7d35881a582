"""Files on a `--config-dir` configure resx; they do not run code behind the person's back.

Before a job begins, Hydra calls whatever stands in `hydra.callbacks`, in the `()` of its logging
configuration, in the options of some launchers and sweepers. A study or a data set that somebody
sent may contain such a thing. So with a foreign folder each choice of files is composed before it
is used, which calls nothing, and must leave Hydra's own part as it is without that folder. What a
person types is theirs.
"""

import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import MissingConfigException
from omegaconf import DictConfig, OmegaConf

from resx.config.composing import parse, register_schema
from resx.config.flags import values_of
from resx.config.location import conf_dir
from resx.config.yaml_size import refuse_bombs
from resx.errors import RequestError

PLUGINS = ("launcher", "sweeper")
GROUPS = ("data", "model", "recipe", "experiment", "study", "analysis")
# What differs without any file saying so: where the configuration came from, and a help text.
RECORDED = ("runtime", "overrides", "help", "searchpath")
RECORDED_OF_JOB = ("override_dirname", "config_name", "name", "id", "num")


def refuse_foreign_code(command: str, flags: list[str], overrides: list[str]) -> None:
    """Raises `RequestError` if a file of a foreign folder changes what Hydra itself does."""
    folders = [os.path.abspath(value) for value in values_of(flags, "--config-dir", "-cd")]
    roots = [os.path.abspath(value) for value in values_of(flags, "--config-path", "-cp")]
    searched = [o for o in overrides if o.startswith("hydra.searchpath")]
    if not (folders or roots or searched):
        return
    if any(o.lstrip("+").startswith("hydra.sweeper.params") for o in overrides):
        raise RequestError("hydra.sweeper.params: with files of your own, type the grid itself")
    for folder in [*folders, *roots]:
        refuse_bombs(folder)
    register_schema(command)
    names = list(values_of(flags, "--config-name", "-cn"))
    search = [f"hydra.searchpath=[{','.join(f'file://{f}' for f in folders)}]"] if folders else []
    place = (roots or [str(conf_dir())])[-1], (names or [command])[-1]
    for job in _jobs(overrides):
        found = _hydra_node(*place, [*job, *(search if not searched else [])])
        typed = [o for o in overrides if o.startswith("hydra") and o not in searched]
        chosen = {name: [o for o in typed if o.startswith(f"hydra/{name}=")] for name in PLUGINS}
        for name in PLUGINS:  # a file of the foreign folder that was typed by name may be it
            if chosen[name] and not _is_known(command, chosen[name]):
                typed = [o for o in typed if not o.startswith((f"hydra/{name}", f"hydra.{name}"))]
                found.pop(name, None)
        _refuse_changes(found, _hydra_node(str(conf_dir()), command, typed))


def refuse_foreign_choices(overrides: list[str]) -> None:
    """Within a command's job: the same for jobs of `resx train` that it is going to start.

    A study's grid chooses files, too, and those nobody typed.
    """
    if not GlobalHydra.instance().is_initialized():
        return
    sources = GlobalHydra.instance().config_loader().get_sources()
    own = {f"file://{conf_dir()}", str(conf_dir())}
    if all(s.provider in ("hydra", "schema") or s.path in own for s in sources):
        return
    register_schema("train")
    found = _node(hydra.compose("train", overrides, return_hydra_config=True))
    _refuse_changes(found, _own_jobs())


def _jobs(overrides: list[str]) -> Iterator[list[str]]:
    """Of a sweep one job for each file that it chooses; else what was typed."""
    swept = [s for s in parse(overrides) if s.values and not s.key.startswith("hydra")]
    lines = [o for o in overrides if o not in {s.line for s in swept}]
    first = {s.key: f"{s.key}={s.values[0]}" for s in swept if s.values}
    yield [*lines, *first.values()]
    for setting in swept:
        if setting.key in GROUPS:
            for value in (setting.values or ())[1:]:
                yield [*lines, *(first | {setting.key: f"{setting.key}={value}"}).values()]


@cache
def _own_jobs() -> dict[str, Any]:
    """Hydra's part of a job of `resx train` from our own tree."""
    return _hydra_node(str(conf_dir()), "train", [])


def _refuse_changes(found: dict[str, Any], expected: dict[str, Any]) -> None:
    for key in found:
        if key not in RECORDED and found[key] != expected.get(key):
            raise RequestError(
                f"hydra.{key}: a file may not change what Hydra itself does, as that can run"
                " code; type it"
            )


def _hydra_node(root: str, name: str, overrides: list[str]) -> dict[str, Any]:
    outer = GlobalHydra.instance().hydra  # of the job that asks, if there is one
    GlobalHydra.instance().hydra = None
    try:
        with hydra.initialize_config_dir(root, version_base="1.3"):
            return _node(hydra.compose(name, overrides, return_hydra_config=True))
    finally:
        GlobalHydra.instance().hydra = outer


def _node(composed: DictConfig) -> dict[str, Any]:
    node = OmegaConf.to_container(composed.hydra, resolve=False)
    assert isinstance(node, dict)
    node["job"] = {k: v for k, v in node["job"].items() if k not in RECORDED_OF_JOB}
    return {str(key): value for key, value in node.items()}


def _is_known(command: str, overrides: list[str]) -> bool:
    """Whether a group's choice is there without the foreign folder."""
    try:
        _hydra_node(str(conf_dir()), command, overrides)
    except MissingConfigException:
        return False
    return True
