"""Ratios of positive measurements over seeds, by the rules of docs/statistics.md."""

from collections.abc import Sequence
from typing import Protocol

from resx.inference import Answer, Finding, Measure, Rules, compare_ratio

# Two measurements are level within a tenth; nothing here is compared with chance.
RULES = Rules(chance=1.0, ratio=1.1)


class Numbers(Protocol):
    """A column of pandas, or an array."""

    def tolist(self) -> list[float]: ...


def compared(first: Numbers | Sequence[float], second: Numbers | Sequence[float]) -> Finding:
    """Is the first greater than the second, by more than a tenth? One number a seed.

    `effect` is the ratio of the geometric means, `interval` holds it with 95 % confidence.
    """
    numbers = [list(x) if isinstance(x, Sequence) else x.tolist() for x in (first, second)]
    return compare_ratio(numbers[0], numbers[1], Measure.LOSS, RULES)


def told(finding: Finding) -> str:
    """`0.74 [0.66, 0.83]`."""
    if finding.effect is None:
        return str(Answer.CANNOT_TELL)
    if finding.interval is None:
        return f"{finding.effect:.3g} (one seed, no interval)"
    return f"{finding.effect:.3g} [{finding.interval[0]:.3g}, {finding.interval[1]:.3g}]"
