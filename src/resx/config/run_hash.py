"""The run hash: ten hex digits over all in a configuration that decides the result."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import field, fields, is_dataclass
from functools import cache
from typing import Any, get_type_hints

# Raised whenever the same request gives other numbers than before, so that old and new runs are
# two. 2: batch norm is re-estimated before evaluations, and grouped convolutions start with the
# fan-out of all their groups.
RESULTS = 2
# Of streamed images also 3: training crops are cut before they are resized, and torch resizes.
STREAMED_RESULTS = 3

# Version 0.1 handed these to a family through its yaml, so they stood in a run's hash twice.
TWICE = ("depth", "residual", "block", "layout")


def logistics(default: Any) -> Any:
    """A field that says where or how to compute, not what: it takes no part in the hash."""
    return field(default=default, metadata={"hashed": False})


def logistics_names(schema: type, prefix: str = "") -> set[str]:
    """The settings of a configuration class that take no part in the hash: `data.root`, ..."""
    names = set()
    hints = get_type_hints(schema)
    for item in fields(schema):
        if not item.metadata.get("hashed", True):
            names.add(f"{prefix}{item.name}")
        elif is_dataclass(hints[item.name]):
            names |= logistics_names(hints[item.name], f"{prefix}{item.name}.")
    return names


def results_number(config: Any) -> int:
    """Of the arithmetic that computes this request."""
    return STREAMED_RESULTS if config.data.is_streamed else RESULTS


def run_hash(config: Any, results: int | None = None) -> str:
    """Ten hex digits over everything that decides a run's result, logistics left out.

    `results` numbers the arithmetic, unset: today's; the first had no number.

    So are values at their dataclass's default, and options of a component that are off (null or
    false): a setting that a later version adds does not rename the runs of this one. Where runs
    did otherwise before a setting came, its metadata's `before(group)` is the value left out.
    """
    found = deciding(config)
    found["model"] |= _switched_on({name: getattr(config, name) for name in TWICE})
    results = results_number(config) if results is None else results
    if results > 1:
        found["results"] = results
    text = json.dumps(found, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def deciding(config: Any) -> dict[str, Any]:
    """What decides a run's result, without logistics, defaults, and options that are off."""
    kept: dict[str, Any] = {}
    for name, before in _hashed(config.__class__):
        value = getattr(config, name)
        if value == before(config):
            continue
        if isinstance(value, dict):
            value = _switched_on(value)
        elif is_dataclass(value):
            value = deciding(value)
        kept[name] = value
    return kept


@cache
def _hashed(schema: Any) -> list[tuple[str, Callable[[Any], Any]]]:
    """The fields that decide a result, each with what it was before it came, or its default."""
    return [
        (item.name, item.metadata.get("before", lambda _, default=item.default: default))
        for item in fields(schema)
        if item.metadata.get("hashed", True)
    ]


def _switched_on(options: dict[str, Any]) -> dict[str, Any]:
    """Not those that are null or false; but 0 is a value."""
    return {k: v for k, v in options.items() if v is not None and v is not False}
