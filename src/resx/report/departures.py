"""In which settings runs differ from a paper's protocol."""

from typing import Any

import pandas as pd

from resx.report.tables import short


def departures_of(runs: pd.DataFrame, paper: dict[str, Any] | None) -> dict[str, str]:
    if paper is None:
        return dict.fromkeys(runs.index, "-")
    told = {}
    for directory, row in runs.iterrows():
        plain_net = {"model.shortcut"} if not row["residual"] else set()  # it has none
        protocol = {k: v for k, v in paper.items() if k not in plain_net}
        told[str(directory)] = departures(dict(row), protocol)
    return told


def departures(config: dict[str, Any], protocol: dict[str, Any]) -> str:
    """Settings in which a run differs from the paper's, `ours (paper: theirs)`; flat settings.

    What the paper itself varies (depth, residual, seed) is in no protocol. A list of settings in
    the protocol allows each of them.
    """
    told = []
    for key, theirs in protocol.items():
        ours = config.get(key)
        if ours != theirs and not (isinstance(theirs, list) and ours in theirs):
            told.append(f"{short(key)} {_plain(ours)} (paper: {_plain(theirs)})")
    return ", ".join(told) or "none"


def _plain(value: Any) -> str:
    if value is None or value == () or value == []:
        return "none"
    return "/".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
