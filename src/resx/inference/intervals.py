"""Intervals for what is typical of a network over seeds, and for differences of such.

The typical value is the one in the middle of a network's runs (the median, as in He et al. 2016,
arXiv:1603.05027, Table 1), not their mean: of three seeds no interval for a mean can be right and
narrow, as a seed in five may fail and none of three show it (Bahadur and Savage 1956).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple, Protocol

import numpy as np
from scipy import special, stats

from resx.inference.answer import Span
from resx.inference.arms import Values

SMALLEST_LOSS = 1e-12  # float32 computes no cross-entropy between this and zero
TWO_KINDS = 2.0  # logits; 5 % against 28 %


class Location(Protocol):
    """What is typical of an arm, with limits that widen with Student's `quantile`."""

    @property
    def n(self) -> int: ...
    @property
    def typical(self) -> float: ...
    def limits(self, quantile: float, alpha: float) -> Span: ...


@dataclass(frozen=True)
class ErrorLocation:
    """The typical error, in [0, 1], by Student's interval on the logit scale.

    x = logit((k + 1/2) / (N + 1)) of each seed's k wrong among N images (Anscombe 1956), limits
    mean(x) +- t s / sqrt(n), brought back. They are never closer than the resolution of N images
    allows: the interval of Clopper and Pearson (1934) for all n N images is part of it. If the
    seeds are of two kinds (some fail), no bell curve fits and the interval of order statistics,
    which needs none, is part of it too.
    """

    errors: Values
    images: int

    @property
    def n(self) -> int:
        return len(self.errors)

    @cached_property
    def logits(self) -> Values:
        share = (self.errors * self.images + 0.5) / (self.images + 1)
        return np.asarray(special.logit(share), dtype=float)

    @property
    def typical(self) -> float:
        return self._error(float(self.logits.mean()))

    def limits(self, quantile: float, alpha: float) -> Span:
        x = self.logits
        half = quantile * float(x.std(ddof=1)) / math.sqrt(self.n)
        spans = [(self._error(x.mean() - half), self._error(x.mean() + half))]
        spans.append(self._resolution(alpha))
        if two_kinds(x):
            low, high = middle(x, alpha)
            spans.append((self._error(low), self._error(high)))
        return min(low for low, _ in spans), max(high for _, high in spans)

    def _error(self, x: float) -> float:
        """The inverse of `logits`: k / N again."""
        return min(1.0, max(0.0, (float(special.expit(x)) * (self.images + 1) - 0.5) / self.images))

    def _resolution(self, alpha: float) -> Span:
        wrong, of = float(self.errors.sum()) * self.images, self.n * self.images
        low = special.betaincinv(wrong, of - wrong + 1, alpha) if wrong > 0.5 else 0.0
        high = special.betaincinv(wrong + 1, of - wrong, 1 - alpha) if wrong < of - 0.5 else 1.0
        return float(low), float(high)


@dataclass(frozen=True)
class LogLocation:
    """The logarithm of a typical loss or number of steps, known to `resolution` (steps)."""

    values: Values
    resolution: float = 0.0

    @property
    def n(self) -> int:
        return len(self.values)

    @cached_property
    def logs(self) -> Values:
        return np.asarray(np.log(np.maximum(self.values, SMALLEST_LOSS)), dtype=float)

    @property
    def typical(self) -> float:
        return float(self.logs.mean())

    def limits(self, quantile: float, alpha: float) -> Span:
        centre = self.typical
        half = quantile * float(self.logs.std(ddof=1)) / math.sqrt(self.n)
        half = max(half, math.log1p(self.resolution / math.exp(centre)) if self.resolution else 0)
        return centre - half, centre + half


def interval(location: Location, alpha: float = 0.025) -> Span:
    """The two-sided interval of one arm of at least two seeds, of confidence 1 - 2 alpha."""
    return location.limits(float(special.stdtrit(location.n - 1, 1 - alpha)), alpha)


class SignedMean(NamedTuple):
    """The mean of numbers of either sign, such as cosines, with Student's interval; None of one."""

    mean: float
    span: Span | None


def signed_mean(values: Sequence[float], alpha: float = 0.025) -> SignedMean:
    x = np.asarray(values, dtype=float)
    if len(x) < 2:
        return SignedMean(float(x.mean()), None)
    half = float(special.stdtrit(len(x) - 1, 1 - alpha) * x.std(ddof=1)) / math.sqrt(len(x))
    return SignedMean(float(x.mean()), (float(x.mean()) - half, float(x.mean()) + half))


def combined(
    locations: Sequence[Location], signs: Sequence[int], alpha: float = 0.025
) -> tuple[float, Span]:
    """The sum of signed typical values and its interval, by MOVER.

    L = sum c_i m_i - sqrt(sum (c_i m_i - min(c_i l_i, c_i u_i))^2), U likewise, with limits
    l_i, u_i of each arm (Newcombe 1998, method 10; Zou and Donner 2008, Stat. Med. 27, 1693):
    inside what is possible wherever the arms' are. Each side takes Student's quantile at the
    degrees of freedom of Welch and Satterthwaite, weighted by the arms' distances on that side.
    """
    typical = np.array([arm.typical for arm in locations])
    own = [interval(arm, alpha) for arm in locations]
    effect = float(np.dot(signs, typical))

    def distances(limits: Sequence[Span], side: int) -> Values:
        ends = [span[1] if c * side > 0 else span[0] for c, span in zip(signs, limits)]
        return np.abs(np.array(ends) - typical)

    def distance(side: int) -> float:
        freedom = _freedom(distances(own, side), [arm.n - 1 for arm in locations])
        quantile = float(special.stdtrit(freedom, 1 - alpha))
        limits = [arm.limits(quantile, alpha) for arm in locations]
        return math.sqrt(float((distances(limits, side) ** 2).sum()))

    return effect, (effect - distance(-1), effect + distance(1))


def _freedom(distances: Values, freedoms: Sequence[int]) -> float:
    """1 / sum(w_i^2 / f_i), where w_i is each arm's share of the squared distance."""
    squares = distances**2
    if squares.sum() == 0:
        return float(min(freedoms))
    shares = squares / squares.sum()
    return 1 / float((shares**2 / np.array(freedoms)).sum())


def two_kinds(x: Values) -> bool:
    """Do the seeds fall into two groups, with a gap as wide as half their range between them?"""
    gaps = np.diff(np.sort(x))
    return bool(len(x) > 2 and gaps.max() > max(TWO_KINDS, gaps.sum() / 2))


def middle(x: Values, alpha: float) -> Span:
    """The interval of order statistics for the median; of few seeds, their range."""
    first, last = _middle_ranks(len(x), alpha)
    ordered = np.sort(x)
    return float(ordered[first]), float(ordered[last])


@cache
def _middle_ranks(n: int, alpha: float) -> tuple[int, int]:
    limits = stats.quantile_test(range(n), q=0.0, p=0.5).confidence_interval(1 - 2 * alpha)
    first = int(limits.low) if math.isfinite(limits.low) else 0
    last = int(limits.high) if math.isfinite(limits.high) else n - 1
    return first, last


def unseen(n: int, confidence: float = 0.95) -> float:
    """The largest share of runs of a kind that none of n seeds has shown: 1 - (1 - c)^(1 / n).

    No interval speaks of such runs (the exact "rule of three", Hanley and Lippman-Hand 1983).
    """
    return 1 - float((1 - confidence) ** (1 / n))
