"""Plain networks against their residual twins, over seeds, at every depth."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from resx.analyses.analysis import ClaimVerdict
from resx.analyses.parts.facts import at_last_step, refuse_several
from resx.analyses.parts.seeds import Compare
from resx.analyses.parts.words import said
from resx.inference import Answer
from resx.inference import Finding as Inference
from resx.inference.answer import Span


class Comparison(NamedTuple):
    """Is the plain network's number greater than the residual one's?

    `fair` says that both networks have learned their images, or that neither was trained: what
    surrounds weights that failed is another question than what surrounds a solution.
    """

    depth: int
    finding: Inference
    fair: bool


def learned(error: float, classes: int) -> bool:
    """Is the error below half of what a guess has?"""
    return error < 0.5 * (1 - 1 / classes)


def deepest(rows: pd.DataFrame) -> int | None:
    """The greatest depth that both plain and residual networks have."""
    plain, residual = (set(rows.loc[rows["residual"] == kind, "depth"]) for kind in (False, True))
    return max(plain & residual, default=None)


def compare_twins(
    table: pd.DataFrame, column: str, compare: Compare, untrained: bool = False
) -> list[Comparison]:
    """At every depth that has both; `table` has a row a network, with a column `learned`.

    Of several steps of a network its last one counts. With `untrained`, networks at step 0 are
    comparable, too. Raises `ValueError` for several families or normalisations.
    """
    for name in ("family", "norm"):
        refuse_several(name, table[name])
    comparisons = []
    for depth, cell in at_last_step(table).groupby("depth"):
        arms = [cell[cell["residual"] == residual].dropna(subset=column) for residual in (0, 1)]
        if all(map(len, arms)):
            # Half of the seeds: some plain nets that are deep learn and some do not.
            fair = all(2 * arm["learned"].astype(bool).sum() > len(arm) for arm in arms)
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
    """Several measures of one claim: confirmed by all, with a limit by some if none is reversed.

    As one of them is enough for the limit, each is to be answered at its share of alpha.
    """
    verdicts = [judge(comparisons) for comparisons in measures]
    if all(v is ClaimVerdict.CONFIRMED for v in verdicts):
        return ClaimVerdict.CONFIRMED
    last = [deciding(comparisons) for comparisons in measures]
    if any(c is not None and c.finding.answer is Answer.REVERSED for c in last):
        return ClaimVerdict.NOT_CONFIRMED
    if {ClaimVerdict.CONFIRMED, ClaimVerdict.LIMITED} & {*verdicts}:
        return ClaimVerdict.LIMITED
    undecided = ClaimVerdict.CANNOT_TELL in verdicts
    return ClaimVerdict.CANNOT_TELL if undecided else ClaimVerdict.NOT_CONFIRMED


def evidence(chosen: Comparison | None, measure: str) -> tuple[float | None, Span | None, str]:
    """What a verdict rests on: effect, interval and measure of a finding of an analysis."""
    if chosen is None:
        return None, None, measure
    return chosen.finding.effect, chosen.finding.interval, f"{measure}, depth {chosen.depth}"


def sentence(comparisons: Sequence[Comparison], scale: float = 1) -> str:
    """`8: 1.02 [0.90, 1.10]; 20: ..`, and where twins have not both learned, that it is so."""
    parts = [
        f"{depth}: {said(finding, scale)}{'' if fair else ' (not both have learned)'}"
        for depth, finding, fair in comparisons
    ]
    return "; ".join(parts) or "no depth has both"
