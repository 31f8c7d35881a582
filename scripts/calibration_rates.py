"""How often intervals and answers about twins are right, as fractions of simulated studies."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy import special
from simulated_studies import CHANCE, Scenario

from resx.inference import (
    Answer,
    Arm,
    ErrorLocation,
    Finding,
    Measure,
    Rules,
    compare,
    compare_ratio,
)
from resx.inference.comparison import guarded
from resx.inference.intervals import combined

RULES = Rules(chance=CHANCE)


@dataclass(frozen=True)
class Rates:
    """Of one scenario with n seeds; NaN where runs diverge and there is no interval.

    `covered` counts what an interval claims, `covers_median` the median of all runs, also of kinds
    that no seed has shown, `covers_mean` their mean. `yes` is beyond the margin, `above_zero` the
    interval's own one-sided error. `today_*` are of Student's paired interval of the mean.
    """

    covered: float
    covers_median: float
    covers_mean: float
    today_covers_mean: float
    yes: float
    no: float
    above_zero: float
    below_zero: float
    today_yes: float
    trials: int
    same: bool  # the twins are one network drawn twice, so that both sides are alike

    @property
    def false_yes(self) -> float:
        """On either side: the mean of both where they are alike, else the larger."""
        if self.same:
            return (self.above_zero + self.below_zero) / 2
        return max(self.above_zero, self.below_zero)


def rates(scenario: Scenario, n: int, trials: int, random: Generator) -> Rates:
    counts: Counter[str] = Counter()
    for _ in range(trials):
        first, shown_first = scenario.first.draw(random, n)
        second, shown_second = scenario.second.draw(random, n)
        finding = compare(first, second, RULES)
        count_answers(counts, finding, n)
        mean = scenario.first.mean - scenario.second.mean
        low, high = paired_interval(first, second)
        counts["today mean"] += low <= mean <= high
        counts["today yes"] += first.diverged > second.diverged or (
            first.diverged == second.diverged and low > 0
        )
        if first.diverged or second.diverged:
            continue
        counts["intervals"] += 1
        span = finding.interval
        if span is None or finding.measure is not Measure.ERROR:
            arms = [ErrorLocation(arm.finished_errors, arm.images) for arm in (first, second)]
            _, span = combined(arms, (1, -1))
        claims = scenario.first.claimed(shown_first), scenario.second.claimed(shown_second)
        medians = scenario.first.medians, scenario.second.medians
        counts["claimed"] += covers(span, *claims)
        counts["median"] += covers(span, *medians)
        counts["mean"] += span[0] <= mean <= span[1]
    diverges = bool(scenario.first.diverges or scenario.second.diverges)
    of = math.nan if diverges else counts["intervals"]
    return Rates(
        covered=counts["claimed"] / of,
        covers_median=counts["median"] / of,
        covers_mean=counts["mean"] / of,
        today_covers_mean=math.nan if diverges else counts["today mean"] / trials,
        yes=counts[Answer.YES] / trials,
        no=counts[Answer.NO] / trials,
        above_zero=counts["above"] / trials,
        below_zero=counts["below"] / trials,
        today_yes=counts["today yes"] / trials,
        trials=trials,
        same=scenario.first == scenario.second,
    )


def count_answers(counts: Counter[str], finding: Finding, n: int) -> None:
    counts[finding.answer] += 1
    above, below = finding.answer is Answer.YES, finding.answer is Answer.REVERSED
    if finding.interval and guarded(Answer.YES, (n, n))[0] is Answer.YES:
        zero = 0.0 if finding.measure is Measure.ERROR else 1.0
        above, below = finding.interval[0] > zero, finding.interval[1] < zero
    counts["above"] += above
    counts["below"] += below


def covers(
    span: tuple[float, float], first: tuple[float, float], second: tuple[float, float]
) -> bool:
    rounding = 1e-12
    low, high = first[0] - second[1], first[1] - second[0]
    return span[0] <= high + rounding and span[1] >= low - rounding


def paired_interval(first: Arm, second: Arm) -> tuple[float, float]:
    """What resx reported before: Student's interval of the differences seed by seed."""
    pairs = [(a, b) for a, b in zip(first.errors, second.errors) if a == a and b == b]
    differences = np.array([a - b for a, b in pairs if a is not None and b is not None])
    n = len(differences)
    if n < 2:
        return math.nan, math.nan
    half = float(special.stdtrit(n - 1, 0.975)) * differences.std(ddof=1) / math.sqrt(n)
    return float(differences.mean() - half), float(differences.mean() + half)


def loss_rates(n: int, spread: float, trials: int, random: Generator) -> tuple[float, float]:
    """Coverage of a ratio of equal losses, and how often its interval lies above one."""
    covered = above = 0
    for _ in range(trials):
        losses = np.exp(random.normal(-4, spread, (2, n)))
        first, second = losses.tolist()
        low, high = compare_ratio(first, second, Measure.LOSS, RULES).interval or (0, math.inf)
        covered += low <= 1 <= high
        above += low > 1
    return covered / trials, above / trials
