"""Which network a row is of, and which networks may be pooled as seeds of one."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pandas as pd

from resx.analyses.parts.layers import norm_of
from resx.experiment import Experiment

NETWORK = ["family", "norm", "depth", "residual", "seed"]  # the step is when it was looked at
SETTINGS: dict[str, Callable[[Experiment], Any]] = {
    "data": lambda e: e.config.data.name,
    "family": lambda e: e.config.model.get("name", ""),
    "norm": lambda e: norm_of(e.network),
    "skip": lambda e: e.config.model.get("skip"),
}


def facts(experiment: Experiment) -> dict[str, Any]:
    """The first columns of every row: which network, with which normalisation, at which step."""
    config = experiment.config
    return {
        "family": SETTINGS["family"](experiment),
        "norm": SETTINGS["norm"](experiment),
        "depth": config.depth,
        "residual": config.residual,
        "seed": config.seed,
        "step": experiment.step,
    }


def refuse_mixed(experiments: Sequence[Experiment], apart: Sequence[str] = ()) -> None:
    """Raises `ValueError` for networks whose depth, kind and seed do not say how they differ.

    An analysis that compares by these would take networks of several data sets, families,
    normalisations or skips for seeds of one. It names those `apart` that it tells apart itself.
    """
    for name, setting in SETTINGS.items():
        if name not in apart:
            refuse_several(name, map(setting, experiments))


def refuse_several(name: str, values: Iterable[Any]) -> None:
    """Raises `ValueError` if the values of a setting are not all the same."""
    found = sorted({str(value) for value in values})
    if len(found) > 1:
        raise ValueError(
            f"{name}: networks of several ({', '.join(found)}) would be taken for seeds of one;"
            " analyse each alone"
        )


def at_last_step(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of each network's newest weights: several steps of one run are no more seeds."""
    return rows[rows["step"] == rows.groupby(NETWORK)["step"].transform("max")]
