"""Plain networks against their residual twins, over seeds, at every depth."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import pandas as pd

from resx.analyses.analysis import ClaimVerdict
from resx.inference import Answer, ErrorLocation, Finding, Measure, Reason, Rules, compare_ratio
from resx.inference.answer import decide
from resx.inference.arms import numbers
from resx.inference.comparison import guarded, undecided
from resx.inference.intervals import combined

Compare = Callable[[Sequence[float], Sequence[float]], Finding]
KNOWN = ["depth", "residual", "seed"]


class Comparison(NamedTuple):
    """Is the plain network's number greater than the residual one's?

    `fair` says that both networks have learned their images, or that neither was trained: what
    surrounds weights that failed is another question than what surrounds a solution.
    """

    depth: int
    finding: Finding
    fair: bool


def ratio(margin: float) -> Compare:
    """Of positive numbers on a log scale; they are level within the factor `margin`.

    Nothing is said where a number is not positive, as the trace of a Hessian may be.
    """

    def compare(plain: Sequence[float], residual: Sequence[float]) -> Finding:
        if min(*plain, *residual) <= 0:
            n = len(plain), len(residual)
            return undecided(Measure.LOSS, margin, Reason.FLOOR, n)
        return compare_ratio(plain, residual, Measure.LOSS, Rules(chance=1.0, ratio=margin))

    return compare


def difference(images: int, margin: float) -> Compare:
    """Of errors, fractions of so many images; they are level within `margin`."""

    def compare(plain: Sequence[float], residual: Sequence[float]) -> Finding:
        n = len(plain), len(residual)
        if min(n) < 2:
            effect = float(numbers(plain).mean() - numbers(residual).mean()) if min(n) else None
            return undecided(Measure.ERROR, margin, Reason.FEW_SEEDS, n, effect=effect)
        arms = [ErrorLocation(numbers(values), images) for values in (plain, residual)]
        effect, span = combined(arms, (1, -1))
        answer, reason = guarded(decide(span, (-margin, margin)), n)
        return Finding(answer, Measure.ERROR, margin, reason, n, effect, span)

    return compare


def learned(error: float, classes: int) -> bool:
    """Is the error below half of what a guess has?"""
    return error < 0.5 * (1 - 1 / classes)


def compare_twins(
    table: pd.DataFrame, column: str, compare: Compare, untrained: bool = False
) -> list[Comparison]:
    """At every depth that has both; `table` has a row a network, with a column `learned`.

    With `untrained`, networks at step 0 are comparable, too.
    """
    comparisons = []
    for depth, cell in table.groupby("depth"):
        arms = [cell[cell["residual"] == residual].dropna(subset=column) for residual in (0, 1)]
        if all(map(len, arms)):
            # Half of the seeds: some plain nets that are deep learn and some do not.
            fair = all(2 * arm["learned"].sum() > len(arm) for arm in arms)
            fair = fair or (untrained and bool((cell["step"] == 0).all()))
            finding = compare(*(arm[column].to_list() for arm in arms))
            comparisons.append(Comparison(int(depth), finding, fair))
    return comparisons


def deciding(comparisons: Sequence[Comparison]) -> Comparison | None:
    """The deepest one that is fair."""
    return max((c for c in comparisons if c.fair), key=lambda c: c.depth, default=None)


def judge(comparisons: Sequence[Comparison]) -> ClaimVerdict:
    """Is plain greater at the deepest fair comparison, and with what limit?

    The limit: at another depth it is not, or that cannot be told.
    """
    last = deciding(comparisons)
    if last is None or last.finding.answer is Answer.CANNOT_TELL:
        return ClaimVerdict.CANNOT_TELL
    if last.finding.answer is not Answer.YES:
        return ClaimVerdict.NOT_CONFIRMED
    everywhere = all(c.finding.answer is Answer.YES for c in comparisons)
    return ClaimVerdict.CONFIRMED if everywhere else ClaimVerdict.LIMITED


def judge_all(measures: Sequence[Sequence[Comparison]]) -> ClaimVerdict:
    """Several measures of one claim: confirmed by all, with a limit by some if none is reversed."""
    verdicts = [judge(comparisons) for comparisons in measures]
    holds = [v in (ClaimVerdict.CONFIRMED, ClaimVerdict.LIMITED) for v in verdicts]
    if all(v is ClaimVerdict.CONFIRMED for v in verdicts):
        return ClaimVerdict.CONFIRMED
    last = [deciding(comparisons) for comparisons in measures]
    against = any(c is not None and c.finding.answer is Answer.REVERSED for c in last)
    if any(holds) and not against:
        return ClaimVerdict.LIMITED
    if ClaimVerdict.NOT_CONFIRMED in verdicts:
        return ClaimVerdict.NOT_CONFIRMED
    return ClaimVerdict.CANNOT_TELL


def sentence(comparisons: Sequence[Comparison], unit: str = "", scale: float = 1) -> str:
    """`8: 1.02 [0.90, 1.10]; 20: ..`, and where twins have not both learned, that it is so."""
    parts = []
    for depth, finding, fair in comparisons:
        effect = "none" if finding.effect is None else f"{scale * finding.effect:.3g}{unit}"
        if finding.interval is not None:
            low, high = (scale * end for end in finding.interval)
            effect += f" [{low:.3g}, {high:.3g}]"
        parts.append(f"{depth}: {effect}{'' if fair else ' (not both have learned)'}")
    return "; ".join(parts) if parts else "no depth has both"
