"""How settings and networks are named and ordered where people read them."""

from typing import Any

import numpy as np
import pandas as pd


def short(setting: str) -> str:
    """`recipe.batch_size` -> `batch_size`, `model.name` -> `model`, as a column's head."""
    return setting.removesuffix(".name").rsplit(".", 1)[-1]


def network_kind(residual: bool) -> str:
    return "residual" if residual else "plain"


def in_order(value: Any) -> tuple[bool, Any]:
    """A sort key: numbers by size, then everything else by its text."""
    number = isinstance(value, int | float | np.number) and not pd.isna(value)
    return (not number, value if number else str(value))


def as_key(key: Any) -> tuple[Any, ...]:
    """A key of pandas' `groupby`, which is no tuple where it groups by one column's name."""
    return key if isinstance(key, tuple) else (key,)
