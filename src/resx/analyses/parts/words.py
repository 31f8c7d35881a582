"""How networks and numbers read in texts and summaries."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from resx.inference import Answer
from resx.inference import Finding as Inference


def kind_of(residual: Any) -> str:
    return "residual" if residual else "plain"


def name_of(residual: Any, depth: Any) -> str:
    """`plain-20`."""
    return f"{kind_of(residual)}-{depth}"


def said(found: Inference | None, scale: float = 1.0, form: str = ".3g") -> str:
    """Effect and 95 % interval: `0.74 [0.66, 0.83]`."""
    if found is None or found.effect is None:
        return "cannot be told"
    effect = f"{scale * found.effect:{form}}"
    if found.interval is None:
        return f"{effect} (no interval)"
    low, high = (f"{scale * end:{form}}" for end in found.interval)
    return f"{effect} [{low}, {high}]"


def as_numbers(found: Inference | None) -> dict[str, Any]:
    """Answer, effect and interval, for a summary."""
    if found is None:
        return {"answer": str(Answer.CANNOT_TELL), "effect": None, "interval": None}
    return {"answer": str(found.answer), "effect": found.effect, "interval": found.interval}


def rounded(numbers: Mapping[Any, Any]) -> dict[str, float]:
    """To six digits; what was not measured is left out."""
    return {str(k): float(f"{v:.6g}") for k, v in numbers.items() if pd.notna(v)}
