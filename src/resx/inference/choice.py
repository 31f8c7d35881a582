"""Each network at its best setting, chosen on some seeds and judged on others."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from resx.inference.arms import Arm, numbers
from resx.inference.intervals import ErrorLocation, LogLocation


@dataclass(frozen=True)
class Choice:
    """`chosen` by all seeds; `judged` holds each seed at the setting that the others chose.

    `per_seed` are these settings; `at_edge` says that the best lies at an end of the grid, so that
    a better one may lie beyond it.
    """

    chosen: float
    at_edge: bool
    per_seed: tuple[float, ...]
    judged: Arm


def choose(arms: Mapping[float, Arm]) -> Choice:
    """The best of a grid (learning rates, say), each arm over the same seeds in the same order.

    The error of the best of ten, on the seeds that chose it, is too small. Each seed is therefore
    judged at the setting that is best on all the others (leave one out: Stone 1974): fewest
    diverged runs, then smallest typical loss. Raises `ValueError` if arms differ in seeds or have
    less than two.
    """
    sizes = {arm.n for arm in arms.values()}
    if len(sizes) != 1 or min(sizes) < 2:
        raise ValueError(f"settings have {sorted(sizes)} seeds: all need the same two or more")
    n = sizes.pop()
    everyone = np.ones(n, dtype=bool)
    chosen = _best(arms, everyone)
    per_seed = tuple(_best(arms, np.arange(n) != seed) for seed in range(n))
    errors = [arms[setting].errors[seed] for seed, setting in enumerate(per_seed)]
    losses = [
        arms[setting].losses[seed] if arms[setting].losses else None
        for seed, setting in enumerate(per_seed)
    ]
    kept = () if all(loss is None for loss in losses) else losses
    judged = Arm(errors, arms[chosen].images, kept)
    return Choice(chosen, chosen in (min(arms), max(arms)), per_seed, judged)


def _best(arms: Mapping[float, Arm], seeds: np.ndarray) -> float:
    def badness(setting: float) -> tuple[int, float]:
        arm = arms[setting]
        errors = numbers(arm.errors)[seeds]
        finished = errors[~np.isnan(errors)]
        diverged = len(errors) - len(finished)
        if arm.losses:  # errors alone are all ties at the floor
            losses = numbers(arm.losses)[seeds]
            finite = losses[~np.isnan(losses)]
            # An infinite loss of a run that finished is as bad as a divergence, not left out.
            lost = len(losses) - len(finite)
            return lost, LogLocation(finite).typical if len(finite) else np.inf
        return diverged, ErrorLocation(finished, arm.images).typical if len(finished) else 1.0

    return min(sorted(arms), key=badness)
