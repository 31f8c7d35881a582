"""Networks whose true errors are known, to draw studies from that `calibration.py` judges."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.random import Generator
from scipy import special, stats

from resx.inference import Arm

IMAGES, CHANCE = 1437, 0.9  # the training images of the digits


@dataclass(frozen=True)
class Kind:
    """Runs of one kind: the logit of a run's error is normal around that of `error`."""

    error: float
    spread: float
    share: float = 1.0


@dataclass(frozen=True)
class Network:
    """A mixture of kinds of runs, of which some diverge; each run draws its wrong images.

    The log of the loss is normal around that of `loss`, with a spread of 0.3.
    """

    kinds: tuple[Kind, ...]
    diverges: float = 0.0
    loss: float = 0.01
    images: int = IMAGES

    def draw(self, random: Generator, n: int) -> tuple[Arm, set[int]]:
        """An arm of n seeds, and the numbers of the kinds that it shows."""
        shown = random.choice(len(self.kinds), size=n, p=[kind.share for kind in self.kinds])
        centers = special.logit([self.kinds[i].error for i in shown])
        spreads = [self.kinds[i].spread for i in shown]
        rates = special.expit(random.normal(centers, spreads))
        errors = random.binomial(self.images, rates) / self.images
        losses = np.exp(random.normal(np.log(self.loss), 0.3, n))
        lost = random.random(n) < self.diverges
        errors, losses = np.where(lost, np.nan, errors), np.where(lost, np.nan, losses)
        return Arm(errors.tolist(), self.images, losses.tolist()), set(shown.tolist())

    @cached_property
    def medians(self) -> tuple[float, float]:
        """The errors in the middle of the runs: many, between two equally frequent kinds."""
        if len(self.kinds) == 1:
            return self.kinds[0].error, self.kinds[0].error
        x = np.linspace(-14, 14, 5601)
        below = sum(
            k.share * stats.norm.cdf(x, special.logit(k.error), k.spread) for k in self.kinds
        )
        low, high = special.expit(np.interp((0.4975, 0.5025), below, x))
        return float(low), float(high)

    @cached_property
    def mean(self) -> float:
        x, weights = np.polynomial.hermite_e.hermegauss(60)
        weights = weights / weights.sum()
        means = [special.expit(special.logit(k.error) + k.spread * x) @ weights for k in self.kinds]
        return float(sum(k.share * mean for k, mean in zip(self.kinds, means)))

    def claimed(self, shown: set[int]) -> tuple[float, float]:
        """What the interval of an arm speaks of: the runs of the kinds that it has shown."""
        if len(shown) == len(self.kinds):
            return self.medians
        (only,) = shown
        return self.kinds[only].error, self.kinds[only].error


def network(
    error: float,
    spread: float = 0.3,
    fails: float = 0.0,
    diverges: float = 0.0,
    loss: float = 0.01,
    images: int = IMAGES,
) -> Network:
    """One that has this error, except where it fails: then it is near 60 %."""
    kinds: tuple[Kind, ...] = (Kind(error, spread, 1 - fails),)
    if fails:
        kinds += (Kind(0.6, 0.5, fails),)
    return Network(kinds, diverges, loss, images)


@dataclass(frozen=True)
class Scenario:
    """Twins; `is_margin`: the first is worse by exactly the margin, so that a yes is wrong."""

    name: str
    first: Network
    second: Network
    is_margin: bool = False

    @property
    def is_unequal_null(self) -> bool:
        """Networks that scatter differently around one error."""
        first, second = self.first, self.second
        alike = first.diverges == second.diverges and first.loss == second.loss
        return first != second and alike and first.medians == second.medians


def null_scenarios() -> list[Scenario]:
    """Twins that do not differ; of the last ones, by exactly the margin of half a point."""
    same = {
        f"{100 * error:g} %, spread {spread}": network(error, spread)
        for error in (0.001, 0.02, 0.1, 0.5)
        for spread in (0.3, 0.8, 1.5)
    }
    same |= {
        "floor (0.02 %)": network(0.0002, 0.3),
        "chance": network(0.9, 0.02),
        "fails 1 in 2, else 1 %": network(0.01, 0.5, fails=0.5),
        "fails 1 in 5, else 1 %": network(0.01, 0.5, fails=0.2),
        "fails 1 in 2, else floor": network(0.0002, 0.3, fails=0.5),
        "diverges 1 in 2, else 2 %": network(0.02, 0.5, diverges=0.5),
        "diverges 1 in 5, else 2 %": network(0.02, 0.5, diverges=0.2),
    }
    twins = [Scenario(name, net, net) for name, net in same.items()]
    unequal = Scenario("2 %, spreads 1.5 and 0.3", network(0.02, 1.5), network(0.02, 0.3))
    margin = [
        Scenario("2.5 and 2 % (the margin)", network(0.025, 0.2), network(0.02, 0.2), True),
        Scenario("10.5 and 10 % (the margin)", network(0.105, 0.05), network(0.1, 0.05), True),
    ]
    return [*twins, unequal, *margin]


def gap_scenarios() -> list[Scenario]:
    """Twins of which the first is worse."""
    floor = network(0.0002, 0.3)
    return [
        Scenario("60 % and floor", network(0.6, 0.6), floor),
        Scenario("5 % and floor, spread 1.5", network(0.05, 1.5), floor),
        Scenario("5 and 2 %, spread 0.3", network(0.05, 0.3), network(0.02, 0.3)),
        Scenario("3 and 2 %, spread 0.1", network(0.03, 0.1), network(0.02, 0.1)),
        Scenario(
            "2.9 and 2.0 % of 50,000, spread 0.05",
            network(0.029, 0.05, images=50_000),
            network(0.02, 0.05, images=50_000),
        ),
        Scenario("10 and 1 %, spread 0.8", network(0.1, 0.8), network(0.01, 0.8)),
        Scenario("floor, losses 3.3 to 1", network(0.0002, 0.3, loss=0.033), floor),
        Scenario("fails 1 in 2, and 1 %", network(0.01, 0.5, fails=0.5), network(0.01, 0.5)),
        Scenario("fails 1 in 5, and floor", network(0.01, 0.5, fails=0.2), floor),
        Scenario("fails 4 in 5, and 1 %", network(0.01, 0.5, fails=0.8), network(0.01, 0.5)),
        Scenario("diverges 9 in 10", network(0.02, 0.5, diverges=0.9), network(0.02, 0.5)),
        Scenario("diverges always", network(0.02, 0.5, diverges=1.0), network(0.02, 0.5)),
    ]
