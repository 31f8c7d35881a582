"""Which of several settings trains best: those that cannot be told from the best, by log loss."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from resx.inference.answer import Answer, Finding, Measure, Reason, decide
from resx.inference.arms import Arm, Rules, Values, numbers
from resx.inference.comparison import compare_ratio, guarded, undecided
from resx.inference.intervals import LogLocation
from resx.inference.ranks import MOST_LUCK, luck


@dataclass(frozen=True)
class Ranking:
    """`best` are the settings not distinguishable from the first of `order`; ties stay together.

    The answer is yes if any setting is left out of `best`, and cannot tell otherwise. `p` is that
    of each setting against the first, corrected for all pairs; `order` is by typical loss, and
    settings of which a run failed are set aside in `failed` with (failed, of), and so are
    those without losses, and of a single seed where others have more.
    """

    answer: Answer
    reason: Reason
    best: tuple[str, ...]
    order: tuple[str, ...]
    typical: dict[str, float]
    p: dict[str, float]
    failed: dict[str, tuple[int, int]]


def rank(arms: Mapping[str, Arm], rules: Rules) -> Ranking:
    """Tukey's test of all pairs, and Welch's of each against the first with Holm's correction.

    The best is chosen after looking, so that it must be tested against all (Tukey and Kramer).
    This test takes the spreads to be equal, and one setting that scatters more than the rest would
    look different; Welch's does not, but is fooled where settings fail by chance. A setting
    is left out of the best if both say so: ten equal ones are called different in at most 5 %. Of
    two seeds each none is (`luck`).
    """
    failed = {k: (rules.failures(arm), arm.n) for k, arm in arms.items() if rules.failures(arm)}
    judged = {k: arm for k, arm in arms.items() if k not in failed and arm.has_losses}
    least = min(2, max((arm.n for arm in judged.values()), default=0))
    logs = {k: _logs(arm) for k, arm in judged.items() if arm.n >= least}
    typical = {k: float(np.exp(x.mean())) for k, x in logs.items()}
    order = tuple(sorted(typical, key=lambda k: typical[k]))
    if len(order) < 2 or least < 2:
        reason = Reason.CHANCE if len(failed) == len(arms) else Reason.FEW_SEEDS
        return Ranking(Answer.CANNOT_TELL, reason, order, order, typical, {}, failed)
    samples = [logs[k] for k in order]
    p_values = _holm_welch(samples)
    small = p_values <= 2 * rules.alpha  # the studentized range takes long, and can only object
    p_values[small] = np.maximum(p_values, _tukey(samples, small))[small]
    p = dict(zip(order, p_values.tolist()))
    certain = {k for k in order if luck(len(logs[k]), len(samples[0])) <= MOST_LUCK}
    best = tuple(k for k in order if p[k] > 2 * rules.alpha or k not in certain)
    answer = Answer.YES if len(best) < len(order) else Answer.CANNOT_TELL
    return Ranking(answer, Reason.INTERVAL, best, order, typical, p, failed)


def _tukey(samples: list[Values], wanted: NDArray[np.bool_]) -> Values:
    """p of the wanted samples against the first, corrected for all pairs (1 for the others).

    As `scipy.stats.tukey_hsd`, which integrates the p of every pair: half a second for ten.
    """
    sizes, means = np.array([len(x) for x in samples]), np.array([x.mean() for x in samples])
    freedom = sizes.sum() - len(samples)
    squares = sum(float(((x - x.mean()) ** 2).sum()) for x in samples)
    errors = np.sqrt(squares / freedom * (1 / sizes + 1 / sizes[0]) / 2)
    p = np.ones(len(samples))
    ranges = np.abs(means - means[0])[wanted] / errors[wanted]
    p[wanted] = stats.studentized_range.sf(ranges, len(samples), freedom)
    return p


def _holm_welch(samples: list[Values]) -> Values:
    """p of every sample against the first, without equal spreads, corrected by Holm (1979)."""
    n, mean, std = np.array([(len(x), x.mean(), x.std(ddof=1)) for x in samples]).T
    p = np.ones(len(samples))
    tested = np.hypot(std, std[0]) > 0  # without any spread there is no test
    tested[0] = False
    p[tested] = stats.ttest_ind_from_stats(
        mean[tested], std[tested], n[tested], mean[0], std[0], n[0], equal_var=False
    ).pvalue
    order = np.argsort(p[1:]) + 1
    p[order] = np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1))
    return np.minimum(p, 1)


def against_control(arms: Mapping[str, Arm], control: str, rules: Rules) -> dict[str, Finding]:
    """Is the loss of each setting greater than the control's? Ratios that hold for all together.

    Each interval is Student's without equal spreads, with its share of alpha (Bonferroni); where
    such intervals decide anything, those of Dunnett's test (1955), which are not fooled by settings
    that fail by chance, are joined to them. A setting with diverged runs is compared by ranks.
    """
    names = [k for k in arms if k != control]
    pairs = {k: (arms[k], arms[control]) for k in names}
    shared = replace(rules, alpha=rules.alpha / max(1, len(names)))
    findings = {k: _against(pair, shared) for k, pair in pairs.items()}
    if all(finding.answer is Answer.CANNOT_TELL for finding in findings.values()):
        return findings
    joined = [k for k in names if findings[k].interval is not None]
    samples = {k: _logs(arms[k]) for k in [*joined, control]}
    if not joined or sum(x.var() for x in samples.values()) == 0:
        return findings
    result = stats.dunnett(
        *(samples[k] for k in joined), control=samples[control], rng=np.random.default_rng(0)
    )
    limits = result.confidence_interval(1 - 2 * rules.alpha)
    for k, low, high in zip(joined, np.exp(limits.low), np.exp(limits.high)):
        own = findings[k].interval
        assert own is not None  # only such were joined
        span = min(own[0], float(low)), max(own[1], float(high))
        answer, reason = guarded(decide(span, (1 / rules.ratio, rules.ratio)), findings[k].n)
        findings[k] = replace(findings[k], answer=answer, reason=reason, interval=span)
    return findings


def _against(pair: tuple[Arm, Arm], rules: Rules) -> Finding:
    n, failed = (pair[0].n, pair[1].n), (rules.failures(pair[0]), rules.failures(pair[1]))
    if rules.at_chance(pair[0]) and rules.at_chance(pair[1]):
        return undecided(Measure.LOSS, rules.ratio, Reason.CHANCE, n, failed)
    return compare_ratio(pair[0].losses, pair[1].losses, Measure.LOSS, rules)


def _logs(arm: Arm) -> Values:
    return LogLocation(numbers(arm.losses)).logs
