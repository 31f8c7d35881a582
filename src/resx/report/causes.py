"""Over-fitting or optimisation: what becomes of training and test error with depth."""

from dataclasses import replace
from typing import NamedTuple

import pandas as pd

from resx.inference import Answer, Finding, Measure, Reason, compare, overfitting
from resx.report.labels import network_kind
from resx.report.sentences import CANNOT_TELL, evidence, failures, level, why_not
from resx.report.verdict import Verdict, verdict
from resx.report.yardstick import Yardstick


class Cause(NamedTuple):
    """An answer, how its sentence begins, and the finding on which it rests."""

    answer: Answer
    opening: str
    decided_by: Finding


def cause(runs: pd.DataFrame, residual: bool, yardstick: Yardstick) -> Verdict | None:
    """Over-fitting is a growth of (test - train); degradation one of the training error itself.

    Of plain nets the answer is yes where optimisation fails, reversed where they only over-fit and
    both where both are shown. Of the shallowest and the deepest net, at the last step, however the
    study judges its runs. He 2015, Sec. 4.2 asks it of ResNet-1202; the notes' Q3 of plain nets.
    None without runs of two depths, or without test errors.
    """
    kind, yardstick = network_kind(residual), yardstick.of_the_end
    pairs = {
        int(depth): (yardstick.arm(group), yardstick.test_arm(group))
        for depth, group in runs.groupby("depth")
        if group["test_error"].notna().any()
    }
    if len(pairs) < 2:
        return None
    ends = min(pairs), max(pairs)
    shallow, deep = (pairs[depth] for depth in ends)
    grown = overfitting(deep, shallow, yardstick.rules)
    risen = compare(deep[0], shallow[0], yardstick.rules)
    found = _overfits(risen, grown) if residual else _cause(risen, grown)
    untested = found.answer is Answer.YES and grown.answer is Answer.CANNOT_TELL
    aside = "; whether over-fitting grows too cannot be told" if untested else ""
    why = why_not(grown if untested else found.decided_by)
    lost = failures(risen, (f"{kind}-{ends[1]}", f"{kind}-{ends[0]}"))
    text = (
        f"{found.opening} from {kind}-{ends[0]} to {kind}-{ends[1]}{aside}: {yardstick.name} from"
        f" {level(shallow[0], Measure.ERROR)} to {level(deep[0], Measure.ERROR)}, test error from"
        f" {level(shallow[1], Measure.ERROR)} to {level(deep[1], Measure.ERROR)}; change of test"
        f" minus training error: {evidence(grown)}{lost}{why}."
    )
    id, question = (
        ("overfitting", "Does the residual net over-fit?")
        if residual
        else ("cause", "Over-fitting or optimisation?")
    )
    return replace(verdict(id, question, found.decided_by, text, ends), answer=found.answer)


def _cause(risen: Finding, grown: Finding) -> Cause:
    """Is it optimisation that fails? "Neither" needs an answer to both questions."""
    grows = grown.answer is Answer.YES
    if _rises(risen):
        if grows:
            return Cause(Answer.BOTH, "Both, training error and over-fitting grow", risen)
        return Cause(Answer.YES, "Optimisation", risen)
    if grows:
        return Cause(Answer.REVERSED, "Over-fitting grows", grown)
    if grown.answer is Answer.CANNOT_TELL or _is_open(risen):
        open_one = grown if grown.answer is Answer.CANNOT_TELL else risen
        return Cause(Answer.CANNOT_TELL, CANNOT_TELL, open_one)
    is_level = risen.answer is Answer.NO and risen.measure is Measure.ERROR
    return Cause(Answer.NO, "Neither grows", risen if is_level else grown)


def _overfits(risen: Finding, grown: Finding) -> Cause:
    """The answer is that of `grown` alone, whatever becomes of the training error."""
    if grown.answer is Answer.CANNOT_TELL:
        return Cause(grown.answer, CANNOT_TELL, grown)
    opening = _cause(risen, grown).opening
    opening = "Over-fitting does not grow" if opening == CANNOT_TELL else opening
    return Cause(grown.answer, opening, grown)


def _rises(risen: Finding) -> bool:
    """Does the training error rise, and not only a loss at the floor?"""
    return risen.answer is Answer.YES and risen.measure is Measure.ERROR


def _is_open(risen: Finding) -> bool:
    """Errors at the floor are level, whatever their losses are."""
    at_floor = risen.measure is Measure.LOSS or risen.reason is Reason.FLOOR
    return risen.answer is Answer.CANNOT_TELL and not at_floor
