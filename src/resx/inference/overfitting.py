"""Does the gap between test and training error grow with depth? (notes, Q3)"""

import numpy as np

from resx.inference.answer import Finding, Measure, Reason, decide
from resx.inference.arms import Arm, Rules
from resx.inference.comparison import guarded, undecided
from resx.inference.intervals import ErrorLocation, combined


def overfitting(deep: tuple[Arm, Arm], shallow: tuple[Arm, Arm], rules: Rules) -> Finding:
    """The change of (test - train) from the shallow to the deep network, each (train, test).

    Degradation with training error up 40 points and test error up 38 is none; test error up by 8
    with training error up by 0.2 is, though both rise. The four typical errors are combined as if
    they were independent; those of one run go together, so the interval is wider than it must be.
    Where runs diverged nothing is decided: the survivors' interval would not count them.
    """
    arms = [deep[1], deep[0], shallow[1], shallow[0]]
    n = (deep[0].n, shallow[0].n)
    failed = (rules.failures(deep[0]), rules.failures(shallow[0]))
    if any(arm.n and rules.at_chance(arm) for arm in (deep[0], shallow[0])):
        # A network that has not learned its training images has not over-fitted or failed to.
        return undecided(Measure.TEST_MINUS_TRAIN, rules.margin, Reason.UNTRAINED, n, failed)
    if any(arm.diverged for arm in arms):
        return undecided(Measure.TEST_MINUS_TRAIN, rules.margin, Reason.DIVERGED, n, failed)
    n = (min(arms[0].n, arms[1].n), min(arms[2].n, arms[3].n))
    if min(n) < 2:
        return undecided(Measure.TEST_MINUS_TRAIN, rules.margin, Reason.FEW_SEEDS, n, failed)
    locations = [ErrorLocation(np.asarray(arm.finished_errors), arm.images) for arm in arms]
    effect, span = combined(locations, (1, -1, -1, 1), rules.alpha)
    answer, reason = guarded(decide(span, (-rules.margin, rules.margin)), n)
    return Finding(
        answer, Measure.TEST_MINUS_TRAIN, rules.margin, reason, n, effect, span, failed=failed
    )
