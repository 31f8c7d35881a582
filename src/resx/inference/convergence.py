"""How many steps a network needs to reach an error, where some runs never do. (notes, 5.2)"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from resx.inference.answer import Finding, Measure
from resx.inference.arms import Numbers, Rules, numbers
from resx.inference.comparison import compare_ratio

THRESHOLDS = (0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01)  # training errors whose steps are listed


@dataclass(frozen=True)
class Steps:
    """The median number of steps to a target, None if more than half of the runs never arrive."""

    median: float | None
    arrived: int
    n: int

    def __str__(self) -> str:
        """`120`, `mostly never` or `never`, and how many arrive where not all do."""
        if self.arrived == 0:
            return "never"
        some = f" ({self.arrived} of {self.n})" if self.arrived < self.n else ""
        return f"{self.median:.0f}{some}" if self.median is not None else f"mostly never{some}"


def median_steps(steps: Numbers, last_step: float) -> Steps:
    """The median by Kaplan and Meier (1958); None and NaN are runs that ended before they arrived.

    The smallest step at which half of the runs have arrived: a run that never does counts as one
    that would need more than `last_step`, and is not forgotten.
    """
    values = numbers(steps)
    never = np.isnan(values)
    arrived = int((~never).sum())
    if arrived == 0:
        return Steps(None, 0, len(values))
    sample = stats.CensoredData(uncensored=values[~never], right=np.full(never.sum(), last_step))
    # A run that diverged early will not arrive later: it is censored at the last step as well.
    survival = stats.ecdf(sample).sf
    half = survival.quantiles[survival.probabilities <= 0.5]
    return Steps(float(half[0]) if len(half) else None, arrived, len(values))


def slower(
    deep: Numbers,
    shallow: Numbers,
    rules: Rules,
    record_every: float = 0.0,
    last_step: float = math.inf,
) -> Finding:
    """Does the deep network need more steps than the shallow one, by more than the factor `ratio`?

    All runs end at one step, so that a run that never arrives is slower than any that does; by more
    than the factor than those alone that arrived before `last_step` / `ratio`. Where there are
    such, exact ranks decide, as for runs that diverge: the log-rank test is asymptotic, and of 3
    against 3 seeds that separate completely states 0.012, where the exact p is 0.05.
    Without them Student's interval on the log scale, no narrower than two records lie apart.
    """
    return compare_ratio(deep, shallow, Measure.STEPS, rules, record_every, last_step)
