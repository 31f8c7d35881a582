"""Settings: where they lie, and their forms: composed by Hydra, validated, stored, flat."""

from dataclasses import asdict, fields, is_dataclass
from typing import Any, TypeVar, get_type_hints

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from resx.config.run_hash import TWICE
from resx.errors import RequestError, unknown

Schema = TypeVar("Schema")


def validated(config: DictConfig, schema: type[Schema]) -> Schema:
    """The composed configuration as an object of its schema; every value checked once more.

    Raises `RequestError` for an unknown key (also one smuggled in with `+`), a wrong type or a
    value out of range.
    """
    known, given = OmegaConf.structured(schema), OmegaConf.to_container(config, resolve=True)
    assert isinstance(given, dict)
    refuse_unknown(given, schema)
    result = OmegaConf.to_object(OmegaConf.merge(known, given))
    assert isinstance(result, schema)
    return result


def plain(composed: DictConfig) -> dict[str, Any]:
    """The composed configuration as dicts and lists, with `???` where a value is missing."""
    found = OmegaConf.to_container(composed, resolve=False)
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items()}


def from_stored(stored: object, schema: type[Schema]) -> Schema:
    """The configuration that a run directory or a checkpoint holds, checked as if it were typed.

    What it says of `trust` and `force` does not count: only a person can say so. Raises
    `RequestError` if it is no configuration of this version.
    """
    if not isinstance(stored, dict):
        raise RequestError(f"the stored configuration is no mapping but {type(stored).__name__}")
    known = {item.name for item in fields(schema)}  # type: ignore[arg-type]
    kept = {k: v for k, v in stored.items() if k not in ("trust", "force") and k in known}
    if isinstance(kept.get("model"), dict):  # of version 0.1
        kept["model"] = {k: v for k, v in kept["model"].items() if k not in TWICE}
    try:
        config = validated(OmegaConf.create(kept), schema)
    except OmegaConfBaseException as error:
        reason = str(error).splitlines()[0]
        raise RequestError(f"the stored configuration cannot be read: {reason}") from error
    _fill_in(config, kept)
    return config


def _fill_in(config: Any, stored: dict[str, Any]) -> None:
    """Give settings that came later the value that runs had before, not today's default."""
    for item in fields(config):
        value = getattr(config, item.name)
        if is_dataclass(value):
            _fill_in(value, stored.get(item.name) or {})
        elif "before" in item.metadata and item.name not in stored:
            setattr(config, item.name, item.metadata["before"](config))


def refuse_unknown(given: dict[Any, Any], schema: type, prefix: str = "") -> None:
    hints = get_type_hints(schema)
    types = {item.name: hints[item.name] for item in fields(schema)}
    for key, value in given.items():
        if key not in types:
            raise RequestError(unknown("setting", f"{prefix}{key}", [prefix + k for k in types]))
        if is_dataclass(types[key]) and isinstance(value, dict):
            refuse_unknown(value, types[key], f"{prefix}{key}.")


def to_dict(config: Any) -> dict[str, Any]:
    """The configuration as dicts, lists and numbers, for files."""
    return asdict(config)


def flattened(config: Any) -> dict[str, Any]:
    """The settings as they are typed: `recipe.lr` -> 0.1; lists become tuples."""
    return flatten(to_dict(config))


def setting(config: Any, key: str) -> Any:
    """One of the `flattened` settings; None if there is none of that name."""
    value = config
    for name in key.split("."):
        value = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
    if isinstance(value, dict) or is_dataclass(value):
        return None
    return tuple(value) if isinstance(value, list) else value


def flatten(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = tuple(value) if isinstance(value, list) else value
    return flat
