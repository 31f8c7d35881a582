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
from resx.config.requests import BARE
from resx.errors import RequestError, unknown

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
    if isinstance(error, MissingConfigException):
        if found := re.search(r"Could not find '(.+)/(.+)'", str(error)):
            group, choice = found.groups()
            if moved := MOVED.get((group, choice)):
                return f"{group}={choice} is {moved} now: it also sets images and precision"
            choices = [p.stem for p in (conf_dir() / group).glob("*.yaml")]
            return unknown(group, choice, choices)
        return first
    if isinstance(error, OverrideParseException):
        text = " ".join(str(error).split("See https")[0].split())
        return f"cannot read the override: {text} (values with spaces: 'key=\"a b\"')"
    if found := re.match(r"Could not override '(?:.*@)?(.+?)'", str(error)):
        known = known_settings(command)
        siblings = [k for k in known if k.rpartition(".")[0] == found[1].rpartition(".")[0]]
        return unknown("setting", found[1], known, siblings or known)
    if isinstance(error, HydraException | OmegaConfBaseException):
        reason = next((e for e in chain if isinstance(e, OmegaConfBaseException)), error)
        detail = str(reason).strip().splitlines()[0]
        override = re.match(r"Error merging override (.+)", first)
        key = override[1] if override else getattr(reason, "full_key", None)
        return f"{key}: {detail}" if key else detail
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else first
    return None


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
