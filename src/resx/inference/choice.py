"""Each network at its best setting, chosen on some seeds and judged on others."""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Generic, TypeVar

import numpy as np

from resx.inference.arms import Arm, numbers
from resx.inference.intervals import ErrorLocation, LogLocation

Setting = TypeVar("Setting", bound=Hashable)


@dataclass(frozen=True)
class Choice(Generic[Setting]):
    """`chosen` by all seeds; `judged` holds each seed at the setting that the others chose.

    `per_seed` are these settings; `at_edge` says that the best lies at an end of the grid, so that
    a better one may lie beyond it; a grid of names, such as A, B and C, has no ends.
    """

    chosen: Setting
    at_edge: bool
    per_seed: tuple[Setting, ...]
    judged: Arm


def choose(arms: Mapping[Setting, Arm]) -> Choice[Setting]:
    """The best of a grid (learning rates, say), each arm over the same seeds in the same order.

    The error of the best of ten, on the seeds that chose it, is too small. Each seed is therefore
    judged at the setting that is `best_setting` on all the others (leave one out: Stone 1974).
    Raises `ValueError` if arms differ in seeds or have less than two.
    """
    sizes = {arm.n for arm in arms.values()}
    if len(sizes) != 1 or min(sizes) < 2:
        raise ValueError(f"settings have {sorted(sizes)} seeds: all need the same two or more")
    n = sizes.pop()
    chosen = best_setting(arms)
    per_seed = tuple(_best(arms, np.arange(n) != seed) for seed in range(n))
    errors = [arms[setting].errors[seed] for seed, setting in enumerate(per_seed)]
    losses = [
        arms[setting].losses[seed] if arms[setting].losses else None
        for seed, setting in enumerate(per_seed)
    ]
    kept = () if all(loss is None for loss in losses) else losses
    judged = Arm(errors, arms[chosen].images, kept)
    return Choice(chosen, at_edge(chosen, arms), per_seed, judged)


def best_setting(arms: Mapping[Setting, Arm]) -> Setting:
    """Fewest diverged runs, then smallest typical loss; of equal ones the first of the mapping."""
    return _best(arms, None)


def at_edge(chosen: Any, settings: Collection[Any]) -> bool:
    """Whether it is the least or the largest of several numbers."""
    grid = [float(v) for v in settings if isinstance(v, Real) and not isinstance(v, bool)]
    return len(settings) == len(grid) > 1 and chosen in (min(grid), max(grid))


def _best(arms: Mapping[Setting, Arm], seeds: np.ndarray | None) -> Setting:
    def badness(setting: Setting) -> tuple[float, float]:
        arm = arms[setting]
        kept = slice(None) if seeds is None else seeds
        errors = numbers(arm.errors)[kept]
        finished = errors[~np.isnan(errors)]
        if arm.losses:  # errors alone are all ties at the floor
            losses = numbers(arm.losses)[kept]
            finite = losses[~np.isnan(losses)]
            # An infinite loss of a run that finished is as bad as a divergence, not left out.
            lost = len(losses) - len(finite)
            return lost / len(losses), LogLocation(finite).typical if len(finite) else np.inf
        typical = ErrorLocation(finished, arm.images).typical if len(finished) else 1.0
        return 1 - len(finished) / len(errors), typical

    return min(arms, key=badness)
