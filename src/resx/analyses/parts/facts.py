"""Which network a row is of, and which networks may be pooled as seeds of one."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from resx.analyses.parts.layers import norm_of
from resx.config.run_hash import deciding
from resx.config.settings import flatten
from resx.experiment import Experiment

NETWORK = ["family", "norm", "depth", "residual", "seed"]  # the step is when it was looked at
# What analyses compare, what `_settings` says by another name, and names of the same settings.
TOLD = {"depth", "residual", "seed", "model.norm", "model.name", "data.name"}
TOLD |= {"recipe.name", "model._target_"}
OF_THE_WEIGHTS = ("data.normalize", "data.mean", "data.std")  # other projects' have their own


def facts(experiment: Experiment) -> dict[str, Any]:
    """The first columns of every row: which network, with which normalisation, at which step."""
    config = experiment.config
    return {
        "family": config.model.get("name", ""),
        "norm": norm_of(experiment.network),
        "depth": config.depth,
        "residual": config.residual,
        "seed": config.seed,
        "step": experiment.step,
    }


def refuse_mixed(experiments: Sequence[Experiment], apart: Sequence[str] = ()) -> None:
    """Raises `ValueError` for networks whose depth, kind and seed do not say how they differ.

    An analysis that compares by these would take networks that differ in anything else, as their
    width, their recipe or their images, for seeds of one. It names those settings `apart` that it
    tells apart itself. Colours may be normalised differently between networks, not among seeds.
    """
    settings = [_settings(experiment) for experiment in experiments]
    for name in dict.fromkeys(key for each in settings for key in each):
        if name in apart:
            continue
        cells: dict[Any, list[Any]] = {}
        for experiment, each in zip(experiments, settings):
            config = experiment.config
            cell = (config.depth, config.residual) if name in OF_THE_WEIGHTS else None
            cells.setdefault(cell, []).append(each.get(name, "default"))
        for values in cells.values():
            refuse_several(name, values)


def _settings(experiment: Experiment) -> dict[str, Any]:
    """All that decides a result, but for what is compared; what is at its default is absent."""
    known = {"data": experiment.config.data.name, "family": experiment.config.model.get("name", "")}
    known |= {"norm": norm_of(experiment.network), "images": experiment.dataset.fingerprint}
    rest = flatten(deciding(experiment.config))
    return known | {key: value for key, value in rest.items() if key not in TOLD}


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


def at_first_step(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of each network's oldest weights, which need not be of one step in all runs."""
    network = [*NETWORK, *(["skip"] if "skip" in rows else [])]
    return rows[rows["step"] == rows.groupby(network)["step"].transform("min")]
