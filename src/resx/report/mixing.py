"""Which settings runs differ in, and the refusal to average runs that do not belong together."""

from typing import Any

import pandas as pd

from resx.config.run_hash import TWICE, logistics_names
from resx.config.schema import TrainConfig
from resx.config.settings import flatten
from resx.errors import RequestError

# Settings that say how or where, or that only repeat what other settings say.
SILENT = logistics_names(TrainConfig) | {"seed", "recipe.name", "model._target_"}
SILENT |= {f"model.{name}" for name in TWICE}
SHOWN_VALUES = 4  # of a setting, in a message


def varying(runs: pd.DataFrame) -> list[str]:
    """Settings that decide a result, other than the seed, and differ between these runs."""
    settings = dict.fromkeys(key for config in runs["config"] for key in flatten(config))
    columns = [k for k in settings if k not in SILENT and not k.startswith("study.")]
    columns.append("fingerprint")  # of the images
    return [k for k in columns if k in runs and runs[k].map(_comparable).nunique() > 1]


def describes_network(setting: str) -> bool:
    """Whether a setting says which network it is, not how that was trained."""
    return setting in ("depth", "block", "layout") or setting.startswith("model.")


def refuse_mixed_settings(runs: pd.DataFrame, rows: list[str], in_a_study: bool) -> None:
    """Raises `RequestError` for runs that differ in more than the table's rows and columns show.

    Rows may differ in settings of their networks that no column shows, such as the width of one
    family among several. Those of a study may differ in their training too, as its question says
    how to compare them.
    """
    mixed = dict.fromkeys(k for _, g in runs.groupby(rows, dropna=False) for k in varying(g))
    if not in_a_study:
        mixed |= dict.fromkeys(k for k in varying(runs) if not describes_network(k))
    if hidden := [key for key in mixed if key not in {*rows, "residual"}]:
        differences = "; ".join(f"{key}: {_values(runs[key])}" for key in hidden)
        raise RequestError(f"these runs do not belong together, they differ in {differences}")


def _comparable(value: Any) -> str:
    """Absent, null and false are one: an option that is off builds the network without it."""
    absent = value is None or value is False or value != value
    return "off" if absent else repr(value)


def _values(column: "pd.Series[Any]") -> str:
    values = [
        "none" if pd.isna(v) else f"{v:g}" if isinstance(v, float) else str(v) for v in column
    ]
    distinct = list(dict.fromkeys(values))
    more = ", ..." if len(distinct) > SHOWN_VALUES else ""
    return ", ".join(distinct[:SHOWN_VALUES]) + more
