"""Each network at its best value of a setting, chosen on some seeds and judged on others."""

from typing import Any, NamedTuple

import pandas as pd

from resx.inference import Arm, best_setting, choose
from resx.inference.choice import at_edge
from resx.report.labels import as_key, in_order, network_kind, short
from resx.report.measures import CLEAN_ERROR, CLEAN_LOSS, has_ended
from resx.report.yardstick import arm_of


class Chosen(NamedTuple):
    """`network` at its best `value` of the setting; whether that is an end of the grid.

    `judged_apart` is False where no two seeds have the same values, so that the value was chosen
    on the very runs that are judged.
    """

    network: str
    value: Any
    at_edge: bool
    judged_apart: bool


def best_of(runs: pd.DataFrame, rows: list[str], setting: str) -> tuple[pd.DataFrame, list[Chosen]]:
    """For each network one run a seed: at the value that is best on all its OTHER seeds.

    The best is that of fewest runs without a finite loss, then of least clean training loss.
    """
    network_rows = [row for row in rows if row != setting]
    kept, found = [], []
    for key, group in runs.groupby([*network_rows, "residual"], dropna=False):
        judged, chosen = _choose(group[has_ended(group)], setting)
        kept.append(judged)
        if chosen is not None:
            found.append(chosen._replace(network=_name(network_rows, as_key(key))))
    return pd.concat(kept), found


def _choose(runs: pd.DataFrame, setting: str) -> tuple[pd.DataFrame, Chosen | None]:
    if runs.empty:
        return runs, None
    complete = _complete(runs, setting)
    usable = runs if complete is None else complete
    arms = {value: _arm(group) for value, group in usable.groupby(setting)}
    arms = {value: arms[value] for value in sorted(arms, key=in_order) if arms[value].n}
    seeds = sorted(usable["seed"].unique())
    if not arms:
        return runs, None
    if complete is not None:
        choice = choose(arms)
        values = dict(zip(seeds, choice.per_seed))
        judged = usable[usable[setting] == usable["seed"].map(values)]
        return judged, Chosen("", choice.chosen, choice.at_edge, judged_apart=True)
    best = best_setting(arms)
    return runs[runs[setting] == best], Chosen("", best, at_edge(best, arms), judged_apart=False)


def _complete(runs: pd.DataFrame, setting: str) -> pd.DataFrame | None:
    """The seeds that have all values, or else the values that all seeds have; None of one seed.

    A value that only one seed has tried yet is not chosen, nor does it keep the others from it.
    """
    values, seeds = (
        runs.groupby(a)[b].nunique() for a, b in (("seed", setting), (setting, "seed"))
    )
    whole = runs[runs["seed"].isin(values.index[values == len(seeds)])]
    if whole["seed"].nunique() < 2:
        whole = runs[runs[setting].isin(seeds.index[seeds == len(values)])]
    return whole if whole["seed"].nunique() > 1 else None


def _arm(runs: pd.DataFrame) -> Arm:
    return arm_of(runs, CLEAN_ERROR, CLEAN_LOSS, int(runs["images"].max()))


def _name(rows: list[str], key: tuple[Any, ...]) -> str:
    """`plain, depth 56`."""
    *values, residual = key
    named = [f"{short(row)} {value}" for row, value in zip(rows, values) if value != "default"]
    return ", ".join([network_kind(residual), *named])


def describe_choices(found: list[Chosen], setting: str) -> str:
    """One sentence: every network's value, marked where it lies at an end of the grid."""
    if not found:
        return ""
    apart = any(chosen.judged_apart for chosen in found)
    few = "with too few seeds, chosen on the runs that are judged"
    named = [
        f"{c.network}: {f'{c.value:g}' if isinstance(c.value, float) else c.value}"
        + " (end of the grid)" * c.at_edge
        + f" ({few})" * (apart and not c.judged_apart)
        for c in found
    ]
    how = "each seed is judged at the value that its other seeds choose" if apart else few
    return f"Best {short(setting)} by training loss ({how}): {'; '.join(named)}."
