"""A run's identity: what in a configuration decides the result, as ten hex digits."""

import hashlib
import json
from dataclasses import field, fields, is_dataclass
from typing import Any, get_type_hints


def logistics(default: Any) -> Any:
    """A field that says where or how to compute, not what: it takes no part in a run's identity."""
    return field(default=default, metadata={"identity": False})


def logistics_names(schema: type, prefix: str = "") -> set[str]:
    """The settings of a configuration class that take no part in identity: `data.root`, ..."""
    names = set()
    hints = get_type_hints(schema)
    for item in fields(schema):
        if not item.metadata.get("identity", True):
            names.add(f"{prefix}{item.name}")
        elif is_dataclass(hints[item.name]):
            names |= logistics_names(hints[item.name], f"{prefix}{item.name}.")
    return names


def identity(config: object) -> str:
    """Ten hex digits over everything that decides a run's result, logistics left out.

    So are values at their dataclass's default, and options of a slot that are off (null or
    false): a setting that a later version adds does not rename the runs of this one.
    """
    text = json.dumps(_deciding(config), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _deciding(config: Any) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for item in fields(config):
        value = getattr(config, item.name)
        if not item.metadata.get("identity", True) or value == item.default:
            continue
        if is_dataclass(value):
            value = _deciding(value)
        elif isinstance(value, dict):
            value = {k: v for k, v in value.items() if v is not None and v is not False}
        kept[item.name] = value
    return kept
