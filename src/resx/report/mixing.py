"""Which settings runs differ in, and the refusal to average runs that do not belong together."""

from typing import Any

import pandas as pd

from resx.config.run_hash import TWICE, logistics_names
from resx.config.schema import TrainConfig
from resx.config.settings import flatten, flattened
from resx.errors import RequestError

# Settings that say how or where, or that only repeat what other settings say.
SILENT = logistics_names(TrainConfig) | {"seed", "recipe.name", "model._target_"}
SILENT |= {f"model.{name}" for name in TWICE}
KINDS = ("model.name", "data.name")  # networks of two families, or on two data sets, are unlike
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


def told_apart(runs: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Which settings tell any runs apart, depth first, and in which others these rows differ.

    The others follow from the former: from the family, the data set, or how a network was trained,
    never from a network's own options, lest these be judged by what is not theirs.
    """
    groups = [group for _, group in runs.groupby(list(KINDS), dropna=False)]
    within = dict.fromkeys(key for group in groups for key in varying(group))
    training: list[str] = []
    for setting in sorted(within, key=_place):  # of those that change together the first is enough
        known = setting in ("depth", "residual") or describes_network(setting)
        if not known and not _follows(setting, [*KINDS, *training], runs):
            training.append(setting)
    kinds = [kind for kind in KINDS if runs[kind].nunique() > 1]
    networks = [key for key in within if describes_network(key) and key != "depth"]
    rows = ["depth", *kinds, *networks, *training]
    others = [k for k in varying(runs) if k not in {*rows, "residual"} and not describes_network(k)]
    return rows, others


def _place(setting: str) -> int:
    """Settings in the order of their dataclass, in which what matters most comes first."""
    known = list(flattened(TrainConfig()))
    return known.index(setting) if setting in known else len(known)


def _follows(setting: str, others: list[str], runs: pd.DataFrame) -> bool:
    """Whether runs that are alike in the others are alike in this setting."""
    columns = [runs[name].map(_comparable) for name in others]
    return bool((runs[setting].map(_comparable).groupby(columns).nunique() == 1).all())


def describe_others(runs: pd.DataFrame, settings: list[str]) -> str:
    """`Rows also differ in recipe.lr: 0.05, 0.3.`; empty if they do in nothing."""
    told = "; ".join(f"{key}: {_values(runs[key])}" for key in settings)
    return f"Rows also differ in {told}." if told else ""


def refuse_mixed_settings(runs: pd.DataFrame, rows: list[str]) -> None:
    """Raises `RequestError` for runs of one row that differ in more than the shortcut.

    The rows of a study may differ in settings that no column shows, such as the width of one family
    among several, or in their training, as its question says how to compare them.
    """
    mixed = dict.fromkeys(k for _, g in runs.groupby(rows, dropna=False) for k in varying(g))
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
