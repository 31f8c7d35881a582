"""How training error changes with depth, and from which depth on a shortcut changes it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from resx.inference.answer import Answer, Finding, Measure, Reason
from resx.inference.arms import Arm, Rules, numbers
from resx.inference.comparison import compare, undecided
from resx.inference.intervals import ErrorLocation, LogLocation
from resx.inference.ranks import MOST_LUCK, luck_of_best


def degradation(arms: Mapping[int, Arm], rules: Rules) -> Finding:
    """Is the deepest network worse than the best of the shallower ones? (notes, 1.2)

    Yes: the error rises. No: it is level within the margin. Reversed: it falls, below all the
    others. "Worse than the best" is "worse than any of them", so that each comparison has its share
    of alpha (Bonferroni); "falls" and "level" must hold against every shallower network, and need
    no correction (an intersection of tests, Berger 1982).
    """
    depths = sorted(arms)
    if len(depths) < 2:
        n = (arms[depths[0]].n if depths else 0, 0)
        return undecided(Measure.ERROR, rules.margin, Reason.FEW_SEEDS, n)
    deepest, shallower = depths[-1], depths[:-1]
    best = best_depth({depth: arms[depth] for depth in shallower}, rules)
    shared = replace(rules, alpha=rules.alpha / len(shallower))
    plain = {d: _between(arms, deepest, d, rules) for d in shallower}
    worse = [d for d in shallower if plain[d].answer is Answer.YES]
    strict = {d: _between(arms, deepest, d, shared) for d in {*worse, best}}
    # Of three seeds no p is smaller than that of "all fail, none fails"; luck_of_best corrects it.
    strict |= {d: plain[d] for d in strict if plain[d].reason is Reason.FAILURES}
    worse = [d for d in worse if strict[d].answer is Answer.YES]
    if worse:
        chosen = strict[best if best in worse else worse[-1]]
        # A single run has no part in this, unless it is what the deepest is worse than.
        n = arms[deepest].n, min(arms[d].n for d in shallower if arms[d].n > 1 or d in worse)
        if luck_of_best(n[0], n[1], len(shallower), len(worse)) > MOST_LUCK:
            return replace(chosen, answer=Answer.CANNOT_TELL, reason=Reason.FEW_SEEDS)
        return chosen
    if all(plain[d].answer is Answer.REVERSED for d in shallower):
        return plain[best]
    level = (Answer.NO, Answer.REVERSED)
    if plain[best].answer is Answer.NO and all(plain[d].answer in level for d in shallower):
        return plain[best]
    # The reason of a pair that cannot be compared says more than that an interval is wide.
    reason = strict[best].test or plain[best].reason
    return replace(strict[best], answer=Answer.CANNOT_TELL, reason=reason)


def falls_with_depth(arms: Mapping[int, Arm], rules: Rules) -> Finding:
    """Is the deepest network better than the shallowest? Yes: the error falls. (notes, 5.2)"""
    depths = sorted(arms)
    if len(depths) < 2:
        n = (0, arms[depths[0]].n if depths else 0)
        return undecided(Measure.ERROR, rules.margin, Reason.FEW_SEEDS, n)
    return _between(arms, depths[0], depths[-1], rules)


def _between(arms: Mapping[int, Arm], first: int, second: int, rules: Rules) -> Finding:
    return replace(compare(arms[first], arms[second], rules), depths=(first, second))


def best_depth(arms: Mapping[int, Arm], rules: Rules) -> int:
    """The depth of fewest failures, then of smallest typical error; at the floor, of loss."""

    def badness(depth: int) -> tuple[float, float, float]:
        arm = arms[depth]
        failed = rules.failures(arm) / max(1, arm.n)
        if (rules.by_loss or rules.at_floor(arm)) and arm.has_losses:
            return failed, 0.0, LogLocation(numbers(arm.losses)).typical
        errors = arm.finished_errors
        typical = ErrorLocation(errors, arm.images).typical if len(errors) else 1.0
        return failed, typical, 0.0

    return min(sorted(arms), key=badness)


@dataclass(frozen=True)
class FirstGap:
    """The smallest depth from which on the shortcut helps, None if it does not at the deepest.

    `finding` is that of this depth, or of the deepest; `asked` holds all that were asked, deepest
    first: the last one, if it is not the shallowest, is the depth at which the gap ended.
    """

    depth: int | None
    finding: Finding
    asked: dict[int, Finding]


def first_gap(pairs: Mapping[int, tuple[Arm, Arm]], rules: Rules) -> FirstGap:
    """Asked of (plain, residual) from the deepest pair upward, until a gap exceeds no margin.

    A fixed sequence: each question has the whole alpha, as none is asked after one that was not
    answered with yes (Maurer, Hothorn and Lehmacher 1995). Raises `ValueError` without pairs.
    """
    if not pairs:
        raise ValueError("no depth has runs with and without the shortcut")
    asked: dict[int, Finding] = {}
    first = None
    for depth in sorted(pairs, reverse=True):
        asked[depth] = replace(compare(*pairs[depth], rules), depths=(depth, depth))
        if asked[depth].answer is not Answer.YES:
            break
        first = depth
    return FirstGap(first, asked[max(pairs) if first is None else first], asked)
