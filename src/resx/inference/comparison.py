"""Is the first network's error (loss, number of steps) greater than the second's?"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from resx.inference.answer import Answer, Finding, Measure, Reason, decide
from resx.inference.arms import Arm, Numbers, Rules, Values, numbers
from resx.inference.intervals import ErrorLocation, LogLocation, combined
from resx.inference.ranks import MOST_LUCK, failures_p, luck, smallest_rank_p, worst_rank_p

TIES = 9  # decimals within which two errors, or logarithms, are one


def compare(first: Arm, second: Arm, rules: Rules) -> Finding:
    """By errors; at the floor by losses; by ranks where runs diverged; at chance not at all.

    With `rules.by_loss` by losses throughout.
    """
    n = (first.n, second.n)
    failed = (rules.failures(first), rules.failures(second))
    if min(n) == 0:
        return undecided(Measure.ERROR, rules.margin, Reason.FEW_SEEDS, n, failed)
    if rules.at_chance(first) and rules.at_chance(second):
        return undecided(Measure.ERROR, rules.margin, Reason.CHANCE, n, failed)
    if rules.by_loss and first.losses and second.losses:
        # As by errors: where runs diverged and ranks decide, those at chance rank with them.
        drop = bool(first.diverged or second.diverged)
        losses = [_of_the_trained(arm, rules) if drop else arm.losses for arm in (first, second)]
        found = compare_ratio(losses[0], losses[1], Measure.LOSS, rules)
        return found if found.test else replace(found, failed=failed)
    # An interval of the runs that are left would praise a net for losing its worst seeds.
    if first.diverged or second.diverged:
        return _by_rank(first, second, rules)
    if rules.at_floor(first) and rules.at_floor(second):
        if first.has_losses and second.has_losses:
            return compare_ratio(first.losses, second.losses, Measure.LOSS, rules)
        return undecided(Measure.ERROR, rules.margin, Reason.FLOOR, n)
    return _by_error(first, second, rules, failed)


def _by_error(first: Arm, second: Arm, rules: Rules, failed: tuple[int, int]) -> Finding:
    n = (first.n, second.n)
    arms = [ErrorLocation(arm.finished_errors, arm.images) for arm in (first, second)]
    if min(n) < 2:
        effect = arms[0].typical - arms[1].typical
        return undecided(Measure.ERROR, rules.margin, Reason.FEW_SEEDS, n, failed, effect)
    effect, span = combined(arms, (1, -1), rules.alpha)
    answer = decide(span, (-rules.margin, rules.margin))
    answer, reason = guarded(answer, n)
    return Finding(answer, Measure.ERROR, rules.margin, reason, n, effect, span, failed=failed)


def guarded(answer: Answer, n: tuple[int, int]) -> tuple[Answer, Reason]:
    """No difference is claimed of so few seeds that luck alone would make one too often."""
    if answer in (Answer.YES, Answer.REVERSED) and luck(*n) > MOST_LUCK:
        return Answer.CANNOT_TELL, Reason.FEW_SEEDS
    return answer, Reason.INTERVAL


def undecided(
    measure: Measure,
    margin: float,
    reason: Reason,
    n: tuple[int, int],
    failed: tuple[int, int] = (0, 0),
    effect: float | None = None,
) -> Finding:
    return Finding(Answer.CANNOT_TELL, measure, margin, reason, n, effect, failed=failed)


def compare_ratio(
    first: Numbers,
    second: Numbers,
    measure: Measure,
    rules: Rules,
    resolution: float = 0.0,
    seen_to: float = math.inf,
) -> Finding:
    """Positive numbers on a log scale; effect, interval and margin are ratios.

    NaN and None mean worse than any number: a run that diverged, a target that it never reached. Of
    the latter it is known that it lies beyond `seen_to`: by more than the ratio worse than what is
    so much smaller, and of no other.
    """
    values = numbers(first), numbers(second)
    n = (len(values[0]), len(values[1]))
    lost = (int(np.isnan(values[0]).sum()), int(np.isnan(values[1]).sum()))
    arms = [LogLocation(v, resolution) for v in values]
    if lost == n and min(n) > 0:
        return undecided(measure, rules.ratio, Reason.NO_NUMBERS, n, lost)
    if min(n) < 2:
        known = min(n) > 0 and not any(lost)
        effect = math.exp(arms[0].typical - arms[1].typical) if known else None
        return undecided(measure, rules.ratio, Reason.FEW_SEEDS, n, lost, effect)
    if any(lost):
        logs = [np.where(np.isnan(arm.logs), math.inf, arm.logs) for arm in arms]
        margin = math.log(rules.ratio)
        answer, p, test = _rank_answer(logs[0], logs[1], margin, rules.alpha, math.log(seen_to))
        medians = [float(np.median(log)) for log in logs]
        effect = math.exp(medians[0] - medians[1]) if all(map(math.isfinite, medians)) else None
        return Finding(answer, measure, rules.ratio, test, n, effect, None, p, lost, test=test)
    effect, (low, high) = combined(arms, (1, -1), rules.alpha)
    span = math.exp(low), math.exp(high)
    answer, reason = guarded(decide(span, (1 / rules.ratio, rules.ratio)), n)
    return Finding(answer, measure, rules.ratio, reason, n, math.exp(effect), span)


def _by_rank(first: Arm, second: Arm, rules: Rules) -> Finding:
    """The effect is the difference of medians in which a failed run counts as chance."""
    ranked = [_failed_are_worst(arm, rules) for arm in (first, second)]
    answer, p, test = _rank_answer(ranked[0], ranked[1], rules.margin, rules.alpha)
    medians = [float(np.median(np.where(np.isinf(v), rules.chance, v))) for v in ranked]
    failed = (rules.failures(first), rules.failures(second))
    effect, n = medians[0] - medians[1], (first.n, second.n)
    return Finding(answer, Measure.ERROR, rules.margin, test, n, effect, None, p, failed, test=test)


def _failed_are_worst(arm: Arm, rules: Rules) -> Values:
    return np.where(_have_failed(arm, rules), math.inf, numbers(arm.errors))


def _of_the_trained(arm: Arm, rules: Rules) -> Numbers:
    """Losses, None for runs that failed."""
    failed = _have_failed(arm, rules)
    return [None if lost else loss for loss, lost in zip(arm.losses, failed)]


def _have_failed(arm: Arm, rules: Rules) -> NDArray[np.bool_]:
    errors = numbers(arm.errors)
    failed = np.isnan(errors)
    # Whether a net that learned nothing also diverged says nothing about which is the better one.
    failed[~failed] = rules.is_chance(errors[~failed], arm.images)
    return failed


def _rank_answer(
    first: Values, second: Values, margin: float, alpha: float, seen_to: float = math.inf
) -> tuple[Answer, float, Reason]:
    """Ranks decide where they can; with fewer than four seeds each, the number of failures.

    The margin is taken off the one that is said to be worse, so that it must be so by more. What
    lies within the margin of `seen_to` may be as bad as what was not seen to its end.
    """
    beyond = [np.where(v > seen_to - margin, math.inf, v) for v in (first, second)]
    n = len(first), len(second)

    def worse(one: Values, other: Values) -> float:
        # Rounded, or what is worse by just the margin is a tie or not as its last bit has it.
        return worst_rank_p(np.round(one - margin, TIES), np.round(other, TIES))

    if (
        min(n) > 1 and smallest_rank_p(*n) <= alpha
    ):  # by n alone: choosing the test by its p would be two tests
        reason = Reason.WORST_RANK
        p = worse(first, beyond[1]), worse(second, beyond[0])
    else:
        reason = Reason.FAILURES
        lost = [(int(np.isinf(v).sum()), len(v)) for v in (first, second, *beyond)]
        p = failures_p(lost[0], lost[3]), failures_p(lost[1], lost[2])
    if p[0] <= alpha:
        return Answer.YES, p[0], reason
    if p[1] <= alpha:
        return Answer.REVERSED, p[1], reason
    return Answer.CANNOT_TELL, min(p), reason
