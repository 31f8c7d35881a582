"""Over-fitting or optimisation: what becomes of training and test error with depth."""

from dataclasses import replace

import pandas as pd

from resx.inference import Answer, Finding, Measure, Reason, compare, overfitting
from resx.report.labels import network_kind
from resx.report.sentences import evidence, level, why_not
from resx.report.verdict import Verdict, verdict
from resx.report.yardstick import Yardstick

CANNOT_TELL = "Cannot tell"


def cause(runs: pd.DataFrame, residual: bool, yardstick: Yardstick) -> Verdict | None:
    """Over-fitting is a growth of (test - train); degradation one of the training error itself.

    Of plain nets the answer is yes where optimisation fails, reversed where they only over-fit.
    Of the shallowest and the deepest net. He 2015, Sec. 4.2 asks it of ResNet-1202; the notes' Q3
    of plain nets. None without runs of two depths, or without test errors.
    """
    kind = network_kind(residual)
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
    answer, opening = _overfits(risen, grown) if residual else _cause(risen, grown)
    open_one = grown if grown.answer is Answer.CANNOT_TELL else risen
    why = why_not(open_one) if opening == CANNOT_TELL else ""
    text = (
        f"{opening} from {kind}-{ends[0]} to {kind}-{ends[1]}: {yardstick.name} from"
        f" {level(shallow[0], Measure.ERROR)} to {level(deep[0], Measure.ERROR)}, test error from"
        f" {level(shallow[1], Measure.ERROR)} to {level(deep[1], Measure.ERROR)}; change of test"
        f" minus training error: {evidence(grown)}{why}."
    )
    if residual:
        return verdict("overfitting", "Does the residual net over-fit?", grown, text, ends)
    found = verdict("cause", "Over-fitting or optimisation?", risen, text, ends)
    return replace(found, answer=answer)


def _cause(risen: Finding, grown: Finding) -> tuple[Answer, str]:
    """Is it optimisation that fails? "Neither" needs an answer to both questions."""
    grows = grown.answer is Answer.YES
    if _rises(risen):
        return Answer.YES, "Both, training error and over-fitting grow" if grows else "Optimisation"
    if grows:
        return Answer.REVERSED, "Over-fitting grows"
    if grown.answer is Answer.CANNOT_TELL or _is_open(risen):
        return Answer.CANNOT_TELL, CANNOT_TELL
    return Answer.NO, "Neither grows"


def _overfits(risen: Finding, grown: Finding) -> tuple[Answer, str]:
    """The answer is that of `grown` alone, whatever becomes of the training error."""
    if grown.answer is Answer.CANNOT_TELL:
        return grown.answer, CANNOT_TELL
    _, opening = _cause(risen, grown)
    return grown.answer, "Over-fitting does not grow" if opening == CANNOT_TELL else opening


def _rises(risen: Finding) -> bool:
    """Does the training error rise, and not only a loss at the floor?"""
    return risen.answer is Answer.YES and risen.measure is Measure.ERROR


def _is_open(risen: Finding) -> bool:
    """Errors at the floor are level, whatever their losses are."""
    at_floor = risen.measure is Measure.LOSS or risen.reason is Reason.FLOOR
    return risen.answer is Answer.CANNOT_TELL and not at_floor
