"""The runs of one network over seeds, and the rules by which two such arms are compared."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Values = NDArray[np.float64]
Numbers = Sequence[float | None]


def numbers(values: Numbers) -> Values:
    """Floats, in which None and all that is not finite become NaN: a run that diverged."""
    array = np.array([math.nan if v is None else v for v in values], dtype=float)
    return np.where(np.isfinite(array), array, math.nan)


@dataclass(frozen=True)
class Arm:
    """One network over seeds: errors are fractions of `images`, NaN or None where a run diverged.

    `losses`, if there are any, belong to the same seeds. Raises `ValueError` on what cannot be.
    """

    errors: Numbers
    images: int
    losses: Numbers = ()

    def __post_init__(self) -> None:
        if self.losses and len(self.losses) != len(self.errors):
            raise ValueError(f"{len(self.losses)} losses for {len(self.errors)} errors")
        if ((self.finished_errors < 0) | (self.finished_errors > 1)).any():
            raise ValueError(f"errors {list(self.errors)}: not all are fractions in [0, 1]")

    @property
    def n(self) -> int:
        return len(self.errors)

    @property
    def finished_errors(self) -> Values:
        errors = numbers(self.errors)
        return errors[~np.isnan(errors)]

    @property
    def diverged(self) -> int:
        return self.n - len(self.finished_errors)

    @property
    def has_losses(self) -> bool:
        return bool(self.losses) and not np.isnan(numbers(self.losses)).any()


@dataclass(frozen=True)
class Rules:
    """What counts as level, as the floor and as chance; `alpha` is one-sided.

    `chance` is the error of the most frequent class. Errors are level within `margin`, losses and
    steps within the factor `ratio`. With `by_loss` losses decide wherever there are any, not only
    at the floor: for studies whose errors tell too little.
    """

    chance: float
    margin: float = 0.005
    ratio: float = 1.5
    few_images: int = 5
    alpha: float = 0.025
    by_loss: bool = False

    def at_floor(self, arm: Arm) -> bool:
        """Are all errors a few images, or so small that they are level whatever they are?"""
        floor = max(self.margin, self.few_images / arm.images)
        return arm.diverged == 0 and bool((arm.finished_errors <= floor).all())

    def failures(self, arm: Arm) -> int:
        """Runs that diverged or learned nothing."""
        return arm.diverged + int(self.is_chance(arm.finished_errors, arm.images).sum())

    def at_chance(self, arm: Arm) -> bool:
        """Has the typical run (half of them or more) learned nothing?"""
        return 2 * self.failures(arm) >= arm.n

    def is_chance(self, errors: Values, images: int) -> NDArray[np.bool_]:
        """Right at most 1.1 times as often as chance, or not more often than chance explains.

        The latter by the binomial tail P(K <= k) > 0.01 of k wrong among N images. Where most
        images are of one class, the former is: wrong at least 0.9 times as often as chance.
        """
        # Of 50,000 images a net with 89.5 % of errors differs from chance, but has learned nothing.
        # Where 95 % of images are of one class, nothing is right 1.1 times as often as naming it.
        near = errors >= self.chance - 0.1 * min(self.chance, 1 - self.chance)
        tail = special.bdtr(np.floor(errors * images + 0.5), images, self.chance)
        result: NDArray[np.bool_] = near | (tail > 0.01)
        return result
