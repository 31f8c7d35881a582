"""How many fresh seeds would answer a question, with a stated chance of doing so."""

import math

from scipy import special, stats

from resx.inference.arms import Arm, Numbers, Rules, numbers
from resx.inference.intervals import ErrorLocation, LogLocation
from resx.inference.ranks import MOST_LUCK, luck_of_best

MOST_SEEDS = 100  # beyond, the difference is too small to matter
ASSURANCE = 0.8  # how surely the spread is not greater than the one that is planned with


def seeds_for_errors(
    first: Arm, second: Arm, rules: Rules, power: float = 0.8, shallower: int = 1
) -> int | None:
    """Seeds per network so that a FRESH set answers yes, no or reversed with this power.

    Planned for the effect that the runs so far show. None if a hundred do not suffice, or if the
    effect equals the margin, which no number can tell from it. `shallower` counts the arms of which
    the second is the best: a difference from one of several needs more seeds (`luck_of_best`).
    """
    sides = [ErrorLocation(arm.finished_errors, arm.images) for arm in (first, second)]
    if min(s.n for s in sides) < 2:
        return None
    spreads = []
    for side in sides:
        # The slope of the inverse logit brings the spread of logits to errors.
        binomial = 1 / (side.images * max(side.typical, 0.5 / side.images))
        logit = max(_raised(float(side.logits.var(ddof=1)), side.n), binomial)
        slope = max(side.typical, 0.5 / side.images) * (1 - side.typical)
        spreads.append(slope * math.sqrt(logit))
    effect = sides[0].typical - sides[1].typical
    return fresh_seeds(effect, rules.margin, spreads, rules, power, shallower)


def _raised(variance: float, n: int) -> float:
    """A few seeds often show too small a spread.

    So its upper confidence limit, s sqrt((n - 1) / chi2) with 80 % assurance (Browne 1995, Stat.
    Med. 14, 1933).
    """
    return variance * (n - 1) / float(special.chdtri(n - 1, ASSURANCE))


def seeds_for_ratio(
    first: Numbers, second: Numbers, rules: Rules, power: float = 0.8, shallower: int = 1
) -> int | None:
    """The same for losses or steps, all finite, on the log scale."""
    sides = [LogLocation(numbers(values)) for values in (first, second)]
    if min(s.n for s in sides) < 2:
        return None
    effect = sides[0].typical - sides[1].typical
    spreads = [math.sqrt(_raised(float(s.logs.var(ddof=1)), s.n)) for s in sides]
    return fresh_seeds(effect, math.log(rules.ratio), spreads, rules, power, shallower)


def fresh_seeds(
    effect: float,
    margin: float,
    spreads: list[float],
    rules: Rules,
    power: float,
    shallower: int,
) -> int | None:
    """The smallest number with this power, by the noncentral t of two means."""
    distance = abs(abs(effect) - margin)
    if distance == 0:
        return None
    fewest = 2
    while abs(effect) > margin and luck_of_best(fewest, fewest, shallower, 1) > MOST_LUCK:
        fewest += 1
    for seeds in range(fewest, MOST_SEEDS + 1):
        error = math.hypot(*spreads) / math.sqrt(seeds)
        if error == 0 or _power(distance / error, seeds - 1, rules.alpha) >= power:
            return seeds
    return None


def _power(shift: float, freedom: int, alpha: float) -> float:
    """P(T > t) of the noncentral t, with the degrees of freedom of one arm, at worst."""
    critical = float(special.stdtrit(freedom, 1 - alpha))
    return float(stats.nct.sf(critical, freedom, shift))
