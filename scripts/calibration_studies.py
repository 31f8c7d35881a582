"""Whole questions on simulated studies: how often each is answered so, as fractions."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from simulated_studies import CHANCE, Network, network

from resx.inference import (
    Answer,
    Arm,
    Rules,
    against_control,
    choose,
    compare,
    degradation,
    first_gap,
    interval,
    overfitting,
    rank,
    seeds_for_errors,
    slower,
)
from resx.inference.intervals import ErrorLocation

Draw = Callable[[Generator, int], bool | None]
RULES = Rules(chance=CHANCE)
STRICT = replace(RULES, margin=0.0, ratio=1.0)  # any difference counts
DEPTHS = (20, 32, 44, 56)
FLOOR = network(0.0002)
FAILS = network(0.01, 0.5, fails=0.35)  # at worst for three seeds: see ranks.luck_of_best
DIVERGES = network(0.02, 0.5, diverges=0.35)


@dataclass(frozen=True)
class Study:
    """A question; `limit` bounds a wrong answer from above, `floor` a right one from below.

    Of what takes long (exact ranks, the studentized range) a tenth of the studies is drawn.
    """

    question: str
    simulated: str
    counted: str
    draw: Draw
    limit: float | None = None
    floor: float | None = None
    takes_long: bool = False


def depths(nets: tuple[Network, ...], random: Generator, n: int) -> dict[int, Arm]:
    return {depth: net.draw(random, n)[0] for depth, net in zip(DEPTHS, nets)}


def degrades(nets: tuple[Network, ...], rules: Rules = RULES) -> Draw:
    return lambda random, n: degradation(depths(nets, random, n), rules).answer is Answer.YES


def gap_too_early(random: Generator, n: int) -> bool:
    """The gap begins at 44 layers."""
    plain = depths((FLOOR, network(0.02), network(0.1, 0.5), network(0.6, 0.6)), random, n)
    residual = depths((FLOOR, network(0.02), network(0.02, 0.5), FLOOR), random, n)
    found = first_gap({d: (plain[d], residual[d]) for d in DEPTHS}, STRICT).depth
    return found is not None and found < 44


def gap_at_deepest(random: Generator, n: int) -> bool:
    """Only the deepest plain net is worse."""
    plain = depths((network(0.02),) * 3 + (network(0.6, 0.6),), random, n)
    residual = depths((network(0.02),) * 4, random, n)
    return first_gap({d: (plain[d], residual[d]) for d in DEPTHS}, RULES).depth == 56


def overfits(deep: tuple[float, float], shallow: tuple[float, float], rules: Rules) -> Draw:
    """Networks of these training and test errors, the latter of 360 images."""

    def draw(random: Generator, n: int) -> bool:
        sides = [
            (
                network(train, 0.4).draw(random, n)[0],
                network(test, 0.2, images=360).draw(random, n)[0],
            )
            for train, test in (deep, shallow)
        ]
        return overfitting(sides[0], sides[1], rules).answer is Answer.YES

    return draw


def settings(random: Generator, n: int, spreads: np.ndarray, fails: float) -> dict[str, Arm]:
    """Ten settings of equal loss; where one fails its loss is fifty times as great."""
    logs = random.normal(-4, spreads[:, None], (10, n)) + 4 * (random.random((10, n)) < fails)
    return {f"setting {i}": Arm([0.02] * n, 1437, np.exp(x).tolist()) for i, x in enumerate(logs)}


def told_apart(spreads: np.ndarray, fails: float = 0.0) -> Draw:
    def draw(random: Generator, n: int) -> bool:
        return rank(settings(random, n, spreads, fails), RULES).answer is Answer.YES

    return draw


def any_beyond_control(spreads: np.ndarray) -> Draw:
    def draw(random: Generator, n: int) -> bool:
        found = against_control(settings(random, n, spreads, 0.0), "setting 0", STRICT)
        return any(f.answer in (Answer.YES, Answer.REVERSED) for f in found.values())

    return draw


def best_is_told(random: Generator, n: int) -> bool:
    """One setting of ten has a tenth of the loss of the others."""
    arms = settings(random, n, np.full(10, 0.3), 0.0)
    best = arms["setting 3"]
    arms["setting 3"] = replace(best, losses=[0.1 * (loss or 0) for loss in best.losses])
    return rank(arms, RULES).best == ("setting 3",)


def slower_with(factor: float, never: float, rules: Rules) -> Draw:
    """Steps to an error, recorded every ten; a share of the runs never arrives."""

    def draw(random: Generator, n: int) -> bool:
        steps = np.exp(random.normal(5, 0.3, (2, n))) * [[factor], [1]]
        steps = np.where(random.random((2, n)) < never, math.nan, np.ceil(steps / 10) * 10)
        deep, shallow = steps.tolist()
        return slower(deep, shallow, rules, record_every=10).answer is Answer.YES

    return draw


def chosen_too_good(random: Generator, n: int) -> bool:
    """Five equal learning rates: is 2 % missed by the interval of the best one's error?"""
    arms = {rate: network(0.02, 0.5).draw(random, n)[0] for rate in (0.01, 0.02, 0.05, 0.1, 0.2)}
    judged = choose(arms).judged
    low, high = interval(ErrorLocation(judged.finished_errors, judged.images))
    return not low <= 0.02 <= high


def planned_enough(random: Generator, n: int) -> bool | None:
    """Where the first seeds cannot tell: does a fresh set of the planned size answer?"""
    nets = network(0.04, 0.3), network(0.02, 0.3)
    first, second = (net.draw(random, n)[0] for net in nets)
    if compare(first, second, RULES).answer is not Answer.CANNOT_TELL:
        return None
    seeds = seeds_for_errors(first, second, RULES)
    if seeds is None:
        return None
    fresh = [net.draw(random, seeds)[0] for net in nets]
    return compare(fresh[0], fresh[1], RULES).answer is not Answer.CANNOT_TELL


def study_rate(study: Study, n: int, trials: int, random: Generator) -> tuple[float, int]:
    """The rate, and of how many studies: None is a study in which the question does not arise."""
    answers = [study.draw(random, n) for _ in range(trials)]
    asked = [answer for answer in answers if answer is not None]
    return (sum(asked) / len(asked) if asked else math.nan), len(asked)
