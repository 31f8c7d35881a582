"""Files on a `--config-dir` configure resx; they do not run code behind the person's back.

Before a job begins, Hydra calls whatever stands in `hydra.callbacks`, in the `()` of its logging
configuration, in the options of some launchers and sweepers. A study or a data set that somebody
sent may contain such a thing. So a foreign folder is composed once, which calls nothing, and must
leave Hydra's own part as it is without that folder. What a person types is theirs.
"""

import os
from typing import Any

import hydra
from hydra.errors import MissingConfigException
from omegaconf import OmegaConf

from resx.config.composing import register_schema
from resx.config.flags import values_of
from resx.config.location import conf_dir
from resx.config.yaml_size import refuse_bombs
from resx.errors import RequestError

PLUGINS = ("launcher", "sweeper")
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
    for folder in [*folders, *roots]:
        refuse_bombs(folder)
    register_schema(command)
    names = list(values_of(flags, "--config-name", "-cn"))
    search = [f"hydra.searchpath=[{','.join(f'file://{f}' for f in folders)}]"] if folders else []
    found = _hydra_node((roots or [str(conf_dir())])[-1], (names or [command])[-1],
                        [*overrides, *(search if not searched else [])])  # fmt: skip
    typed = [o for o in overrides if o.startswith("hydra") and o not in searched]
    chosen = {name: [o for o in typed if o.startswith(f"hydra/{name}=")] for name in PLUGINS}
    for name in PLUGINS:  # a file of the foreign folder that was typed by name may be what it is
        if chosen[name] and not _is_known(command, chosen[name]):
            typed = [o for o in typed if not o.startswith((f"hydra/{name}", f"hydra.{name}"))]
            found.pop(name, None)
    expected = _hydra_node(str(conf_dir()), command, typed)
    for key in found:
        if key not in RECORDED and found[key] != expected.get(key):
            raise RequestError(
                f"hydra.{key}: a file may not change what Hydra itself does, as that can run"
                " code; type it"
            )


def _hydra_node(root: str, name: str, overrides: list[str]) -> dict[str, Any]:
    with hydra.initialize_config_dir(root, version_base="1.3"):
        composed = hydra.compose(name, overrides, return_hydra_config=True)
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
