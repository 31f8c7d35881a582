"""What a few seeds allow to say of numbers that are no errors or losses of trained networks.

By the rules of docs/statistics.md, but that nothing is compared with chance. A finding's `measure`
says whether its effect is a ratio (`loss`) or a difference (`error`).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy import stats

from resx.inference import (
    ErrorLocation,
    Measure,
    Reason,
    Rules,
    compare_ratio,
    numbers,
    signed_mean,
)
from resx.inference import Finding as Inference
from resx.inference.answer import Span, decide
from resx.inference.comparison import guarded, undecided
from resx.inference.intervals import combined

Compare = Callable[[Sequence[float], Sequence[float]], Inference]
RULES = Rules(chance=1.0)  # ratios are level within the factor 1.5


def ratio(level: float = RULES.ratio, questions: int = 1) -> Compare:
    """Of positive numbers on a log scale; they are level within the factor `level`.

    Where one yes to several `questions` is enough, each is answered at its share of alpha
    (Bonferroni); the interval is of 95 % all the same. Nothing is said where a number is not
    positive, as the trace of a Hessian may be.
    """
    rules = replace(RULES, ratio=level)
    strict = replace(rules, alpha=rules.alpha / questions)

    def compare(first: Sequence[float], second: Sequence[float]) -> Inference:
        if min(*first, *second) <= 0:
            return undecided(Measure.LOSS, level, Reason.FLOOR, (len(first), len(second)))
        found = compare_ratio(first, second, Measure.LOSS, rules)
        if questions == 1:
            return found
        answered = compare_ratio(first, second, Measure.LOSS, strict)
        return replace(found, answer=answered.answer, reason=answered.reason, p=answered.p)

    return compare


def error_difference(images: int, margin: float) -> Compare:
    """Of errors, fractions of so many images; they are level within `margin`."""

    def compare(first: Sequence[float], second: Sequence[float]) -> Inference:
        n = len(first), len(second)
        if min(n) < 2:
            effect = float(numbers(first).mean() - numbers(second).mean()) if min(n) else None
            return undecided(Measure.ERROR, margin, Reason.FEW_SEEDS, n, effect=effect)
        arms = [ErrorLocation(numbers(values), images) for values in (first, second)]
        effect, span = combined(arms, (1, -1))
        return _answered(effect, span, margin, n)

    return compare


def mean_difference(margin: float) -> Compare:
    """Of numbers of either sign, such as correlations, by Welch's interval; level within it."""

    def compare(first: Sequence[float], second: Sequence[float]) -> Inference:
        n = len(first), len(second)
        effect = float(np.mean(first) - np.mean(second))
        if min(n) < 2:
            return undecided(Measure.ERROR, margin, Reason.FEW_SEEDS, n, effect=effect)
        if np.ptp(first) == 0 and np.ptp(second) == 0:  # scipy divides by their spread
            return _answered(effect, (effect, effect), margin, n)
        span = stats.ttest_ind(first, second, equal_var=False).confidence_interval()
        return _answered(effect, (float(span.low), float(span.high)), margin, n)

    return compare


def mean(values: Sequence[float], margin: float = 0.0) -> Inference:
    """Is the mean of one number a seed above the margin, below minus the margin, or between?"""
    found, n = signed_mean(values), (len(values), len(values))
    if found.span is None:
        return undecided(Measure.ERROR, margin, Reason.FEW_SEEDS, n, effect=found.mean)
    return _answered(found.mean, found.span, margin, n)


def mean_factor(factors: Sequence[float], level: float) -> Inference:
    """Is the geometric mean of one factor a seed above `level`, below 1 / `level`, or between?"""
    found = mean(np.log(factors).tolist(), math.log(level))
    assert found.effect is not None
    span = found.interval and (math.exp(found.interval[0]), math.exp(found.interval[1]))
    effect = math.exp(found.effect)
    return replace(found, measure=Measure.LOSS, margin=level, effect=effect, interval=span)


def _answered(effect: float, span: Span, margin: float, n: tuple[int, int]) -> Inference:
    answer, reason = guarded(decide(span, (-margin, margin)), n)
    return Inference(answer, Measure.ERROR, margin, reason, n, effect, span)
