"""Settings: where they lie, and their forms: composed by Hydra, typed, plain, flat."""

from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from omegaconf import DictConfig, OmegaConf

from resx.config.checks import unknown
from resx.errors import RequestError


def conf_dir() -> Path:
    """The configuration tree: beside this file in a wheel, at the top of a checkout."""
    installed = Path(__file__).parents[1] / "conf"
    return installed if installed.is_dir() else Path(__file__).parents[3] / "conf"


def typed(config: DictConfig, schema: type) -> Any:
    """The composed configuration as an object of its schema; every value checked once more.

    Raises `RequestError` for an unknown key (also one smuggled in with `+`), a wrong type or a
    value out of range.
    """
    known, given = OmegaConf.structured(schema), OmegaConf.to_container(config, resolve=True)
    assert isinstance(given, dict)
    refuse_unknown(given, schema)
    return OmegaConf.to_object(OmegaConf.merge(known, given))


def refuse_unknown(given: dict[Any, Any], schema: type, prefix: str = "") -> None:
    hints = get_type_hints(schema)
    types = {item.name: hints[item.name] for item in fields(schema)}
    for key, value in given.items():
        if key not in types:
            raise RequestError(unknown("setting", f"{prefix}{key}", [prefix + k for k in types]))
        if is_dataclass(types[key]) and isinstance(value, dict):
            refuse_unknown(value, types[key], f"{prefix}{key}.")


def plain(config: Any) -> dict[str, Any]:
    """The configuration as plain dicts, lists and numbers, for files."""
    return asdict(config)


def flattened(config: Any) -> dict[str, Any]:
    """The settings as they are typed: `recipe.lr` -> 0.1; lists become tuples."""
    return flatten(plain(config))


def flatten(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = tuple(value) if isinstance(value, list) else value
    return flat
