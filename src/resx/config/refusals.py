"""Errors of Hydra, OmegaConf and ours as one line that says what to change."""

import re
import sys
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from resx.config.location import conf_dir
from resx.config.plugins import plugin_choices
from resx.config.requests import BARE
from resx.errors import RequestError, unknown

# Packages whose names differ from those of what is installed.
DISTRIBUTIONS = {
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
    "hydra": "hydra-core",
    "PIL": "pillow",
}
MOVED = {("recipe", "cifar_quick"): "experiment=cifar_quick"}


def one_line(error: BaseException, command: str) -> str | None:
    """What to tell the user; None for an error that is ours."""
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(cause)
    if any("torchvision::nms" in str(e) for e in chain):
        return (
            "the installed torchvision was built for another torch; install a matching pair:"
            " pip install --upgrade torch torchvision"
        )
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if isinstance(error, RequestError):
        return first
    if isinstance(error, ModuleNotFoundError) and (missing := str(error.name).split(".")[0]):
        if missing in ("resx", "None"):
            return None
        package = "torch torchvision" if missing == "torch" else DISTRIBUTIONS.get(missing, missing)
        return f"{missing} is not installed; pip install {package}"
    if isinstance(error, MissingConfigException):
        return _no_such_choice(error) or first
    if isinstance(error, OverrideParseException):
        return _to_be_quoted(error.override)
    if found := re.match(r"Could not override '(?:.*@)?(.+?)'", str(error)):
        within = (getattr(e, "full_key", None) for e in chain)  # of `data.source={foo: 1}`
        name = next((k for k in within if k and k.startswith(f"{found[1]}.")), found[1])
        known = [k for k in known_settings(command) if not name.startswith(f"{k}.")]
        beside = [k for k in known if k.rpartition(".")[0] == name.rpartition(".")[0]]
        return unknown("setting", name, known, beside or [k for k in known if "." not in k])
    if isinstance(error, HydraException | OmegaConfBaseException):
        reason = next((e for e in chain if isinstance(e, OmegaConfBaseException)), error)
        detail = str(reason).strip().splitlines()[0]
        override = re.match(r"Error merging override (.+)", first)
        key = override[1] if override else getattr(reason, "full_key", None)
        return f"{key}: {detail}" if key else detail
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else first
    return _of_a_plugin(error, first)


def _of_a_plugin(error: BaseException, first: str) -> str | None:
    if type(error).__module__.startswith("submitit."):  # whose last line is sbatch's reason
        return next((x for x in str(error).splitlines()[::-1] if x.startswith("sbatch: ")), first)
    if first == "No trials are completed yet.":  # Optuna's
        return "every trial failed, so that none is the best"
    return None


def _to_be_quoted(override: str) -> str:
    name, _, value = override.partition("=")
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    as_text = f"'{name}=\"{quoted}\"'"
    return f"cannot read {override}; a value with such signs is quoted: {as_text}"


def _no_such_choice(error: MissingConfigException) -> str | None:
    found = re.search(r"Could not find '(.+)/(.+?)'", str(error))
    if not found:
        return None
    group, choice = found.groups()
    if moved := MOVED.get((group, choice)):
        return f"{group}={choice} is {moved} now: it also sets images and precision"
    known = plugin_choices(group, list(error.options or ()))
    if not known:
        return f"unknown {group} '{choice}'; there is nothing in {group}"
    return unknown(group, choice, known)


def known_settings(command: str) -> list[str]:
    """Every key of the command's configuration with the groups that were typed, such as a model."""
    bare = BARE.get(command)
    typed = [f"{bare}={a}" if bare and "=" not in a else a for a in sys.argv[2:]]
    pattern = r"(data|model|recipe|experiment|study|analysis)=([\w-]+)"
    groups = (re.fullmatch(pattern, a) for a in typed)
    known = (g for g in groups if g and (conf_dir() / g[1] / f"{g[2]}.yaml").is_file())
    chosen = [g[0] for g in known]  # those of a --config-dir are not looked up
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = OmegaConf.to_container(hydra.compose(command, chosen))
    keys: list[str] = []

    def walk(node: Any, prefix: str) -> None:
        for key, value in node.items():
            keys.append(f"{prefix}{key}")
            if isinstance(value, dict):
                walk(value, f"{prefix}{key}.")

    walk(config, "")
    return keys
