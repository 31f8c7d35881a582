"""Plain values, as JSON and YAML have them, in the types that a dataclass declares."""

from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, TypeGuard, Union, get_args, get_origin, get_type_hints

PLAIN = (str, bool, float)
NODES = 10_000  # values in a configuration
LARGEST = 2**53  # beyond it a float, and so a table, no longer holds a whole number


def typed(value: Any, kind: Any, name: str) -> Any:
    """`value` in the annotated type `kind`; fields that are unknown are dropped.

    A field that is absent has its default: earlier versions wrote fewer. Raises `ValueError` that
    names the place, such as `summary.last.test.error`.
    """
    if type(value) is kind and kind in PLAIN:  # most values; the rest takes its time
        return value
    origin, parts = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if isinstance(kind, type) and is_dataclass(kind):
        if not isinstance(value, dict):
            raise ValueError(f"{name}: {shown(value)} is no object")
        hints = _hints(kind)
        found = {k: typed(value[k], hint, f"{name}.{k}") for k, hint in hints if k in value}
        return kind(**found)
    if origin in (Union, UnionType):
        return None if value is None else typed(value, parts[0], name)
    if origin is dict and isinstance(value, dict):
        return {str(k): typed(v, parts[1], f"{name}.{k}") for k, v in value.items()}
    if origin is list and isinstance(value, list):
        return [typed(v, parts[0], name) for v in value]
    if kind is float and is_number(value):
        return float(value)
    if isinstance(kind, type) and isinstance(value, str) and issubclass(kind, StrEnum):
        return kind(value)  # its own ValueError names the value
    if type(value) is kind and (kind is not int or is_number(value)):
        return value
    raise ValueError(f"{name}: {shown(value)} is not what stands there")


def refuse_endless(value: Any) -> None:
    """Raises `ValueError` for a structure that shares parts with itself so as to be endless."""
    left, waiting = NODES, [value]
    while waiting:
        node = waiting.pop()
        left -= 1
        if left == 0:
            raise ValueError(f"more than {NODES} values")
        if isinstance(node, dict | list):
            waiting += node.values() if isinstance(node, dict) else node


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a number that a float can hold, NaN and infinities included."""
    if type(value) is int:
        return abs(value) <= LARGEST
    return type(value) is float


def shown(value: object) -> str:
    """The beginning of a value of any size."""
    if type(value) is int and not is_number(value):
        return f"a number of {value.bit_length()} bits"
    return repr(value)[:40] if isinstance(value, str | int | float | None) else _kind(value)


def _kind(value: object) -> str:
    return {"dict": "an object", "list": "a list"}.get(type(value).__name__, "something else")


@cache
def _hints(kind: type) -> list[tuple[str, Any]]:
    hints = get_type_hints(kind)
    return [(item.name, hints[item.name]) for item in fields(kind)]
