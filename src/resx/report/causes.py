"""Over-fitting or optimisation: what becomes of training and test error with depth."""

from dataclasses import replace

import pandas as pd

from resx.inference import Answer, Finding, Measure, compare, overfitting
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
    answer, opening = _cause(risen, grown)
    text = (
        f"{opening} from {kind}-{ends[0]} to {kind}-{ends[1]}: {yardstick.name} from"
        f" {level(shallow[0], Measure.ERROR)} to {level(deep[0], Measure.ERROR)}, test error from"
        f" {level(shallow[1], Measure.ERROR)} to {level(deep[1], Measure.ERROR)}; test minus"
        f" training error changes by {evidence(grown)}"
        f"{why_not(grown, None) if opening == CANNOT_TELL else ''}."
    )
    if residual:
        return verdict("overfitting", "Does the residual net over-fit?", grown, text, ends)
    found = verdict("cause", "Over-fitting or optimisation?", risen, text, ends)
    return replace(found, answer=answer)


def _cause(risen: Finding, grown: Finding) -> tuple[Answer, str]:
    """Is it optimisation that fails? That needs a training error that rises, not only a loss."""
    rises = risen.answer is Answer.YES and risen.measure is Measure.ERROR
    grows = grown.answer is Answer.YES
    if rises:
        return Answer.YES, "Both, training error and over-fitting grow" if grows else "Optimisation"
    if grows:
        return Answer.REVERSED, "Over-fitting grows"
    if grown.answer is Answer.CANNOT_TELL:
        return Answer.CANNOT_TELL, CANNOT_TELL
    return Answer.NO, "Neither grows"
