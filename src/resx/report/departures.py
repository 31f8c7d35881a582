"""In which settings runs depart from a paper's protocol."""

from typing import Any

import pandas as pd

from resx.config.settings import flatten
from resx.report.labels import short

NONE = "none"  # a run keeps to the protocol in every setting
NO_PROTOCOL = "-"


def departures_of(runs: pd.DataFrame, protocol: dict[str, Any] | None) -> dict[str, str]:
    """The departures of each run by its directory."""
    if protocol is None:
        return dict.fromkeys(map(str, runs.index), NO_PROTOCOL)
    found = {}
    for directory, run in runs.iterrows():
        # A plain network has no shortcut, whatever its configuration says.
        kept = {k: v for k, v in protocol.items() if run["residual"] or k != "model.shortcut"}
        # Not the table's columns, in which a missing number is NaN and a default has a name.
        settings = dict(run) | flatten(run["config"])
        found[str(directory)] = departures(settings, kept)
    return found


def departures(settings: dict[str, Any], protocol: dict[str, Any]) -> str:
    """Settings in which a run differs from the paper's, `value (paper: value)`; both flat.

    What the paper itself varies (depth, residual, seed) is in no protocol. A list of settings in
    the protocol allows each of them.
    """
    found = []
    for key, published in protocol.items():
        value = settings.get(key)
        if value != published and not (isinstance(published, list) and value in published):
            found.append(f"{short(key)} {_written(value)} (paper: {_written(published)})")
    return ", ".join(found) or NONE


def _written(value: Any) -> str:
    if value is None or value == () or value == []:
        return "none"
    return "/".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
