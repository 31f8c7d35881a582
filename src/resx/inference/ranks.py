"""Exact tests for seeds of which some fail, and how little a few seeds can prove at all."""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from resx.inference.arms import Values

MOST_SPLITS = 20_000  # 7 against 7 seeds have 3,432 splits, 8 against 8 have 12,870
AT_ONCE = 500  # splits in memory; of thousands of seeds all of them fill gigabytes
MOST_LUCK = 0.03  # how often two equal networks may be told apart, at worst


def worst_rank_p(first: Values, second: Values) -> float:
    """One-sided p that the first ranks no worse than the second; infinity is the worst value.

    The permutation distribution of the Wilcoxon rank sum with midranks, a failed run ranking
    behind all others and level with its like (Lachin 1999, Control. Clin. Trials 20, 408): exact up
    to twenty thousand splits of the seeds, beyond that from as many drawn ones.
    """
    ranks = stats.rankdata(np.concatenate([first, second]))
    return _rank_sum_p(tuple(ranks[: len(first)]), tuple(ranks[len(first) :]))


def is_exact(first: int, second: int) -> bool:
    """Whether `worst_rank_p` of so many seeds goes through all splits, and draws none."""
    return math.comb(first + second, first) <= MOST_SPLITS


@lru_cache(maxsize=4096)
def _rank_sum_p(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    def rank_sum(first: Values, second: Values, axis: int) -> NDArray[np.float64]:
        return np.asarray(first.sum(axis=axis))

    result = stats.permutation_test(
        (np.array(first), np.array(second)),
        rank_sum,
        vectorized=True,
        n_resamples=MOST_SPLITS,
        batch=AT_ONCE,
        alternative="greater",
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)


def failures_p(first: tuple[int, int], second: tuple[int, int]) -> float:
    """One-sided p that the first fails no more often; each is (failed, of).

    Boschloo's unconditional exact test (1970): unlike Fisher's it can be significant for 3 of 3
    against 0 of 3 (p = 1/64 against 1/20).
    """
    counts = [[first[0], second[0]], [first[1] - first[0], second[1] - second[0]]]
    if sum(counts[0]) == 0 or sum(counts[1]) == 0:
        return 1.0
    with _quiet():
        return float(stats.boschloo_exact(counts, alternative="greater").pvalue)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what scipy's optimiser behind that test notes in the root logger, at level INFO."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


def smallest_rank_p(first: int, second: int) -> float:
    """The p of complete separation: one split of so many seeds."""
    return 1 / math.comb(first + second, first)


def luck(first: int, second: int) -> float:
    """How often two EQUAL arms separate completely, at worst: max over q of q^a (1 - q)^b.

    Let every net fail with probability q: then all of one arm fail and none of the other in
    q^a (1 - q)^b of the studies, most often at q = a / (a + b). Whatever the interval, an arm
    of 2 seeds against one of 2 (1/16) or 3 (1/29) proves nothing, 3 against 3 (1/64) may.
    """
    q = first / (first + second)
    return float(q**first * (1 - q) ** second)


def luck_of_best(deepest: int, each: int, shallower: int, separated: int) -> float:
    """The same for the deepest of several equal nets, of which the best is chosen after looking.

    max over q of q^a P(at least `separated` of the `shallower` arms have no failure), each with
    (1 - q)^b: three seeds must be worse than two of three shallower nets (0.008), one may be
    chance (0.041).
    """
    q = np.linspace(0, 1, 201)
    return float((q**deepest * stats.binom.sf(separated - 1, shallower, (1 - q) ** each)).max())
