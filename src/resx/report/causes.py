"""Over-fitting or optimisation: what becomes of training and test error with depth."""

import pandas as pd

from resx.inference import Answer, Finding, Measure, compare, overfitting
from resx.report.labels import network_kind
from resx.report.sentences import evidence, level, why_not
from resx.report.verdict import Verdict, verdict
from resx.report.yardstick import Yardstick

CANNOT_TELL = "Cannot tell"


def cause(runs: pd.DataFrame, residual: bool, yardstick: Yardstick) -> Verdict | None:
    """Over-fitting is a growth of (test - train); degradation one of the training error itself.

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
    finding = overfitting(deep, shallow, yardstick.rules)
    training = compare(deep[0], shallow[0], yardstick.rules)
    opening = _cause_in_words(training, finding)
    text = (
        f"{opening} from {kind}-{ends[0]} to {kind}-{ends[1]}: {yardstick.name} from"
        f" {level(shallow[0], Measure.ERROR)} to {level(deep[0], Measure.ERROR)}, test error from"
        f" {level(shallow[1], Measure.ERROR)} to {level(deep[1], Measure.ERROR)}; test minus"
        f" training changes by {evidence(finding)}"
        f"{why_not(finding, None) if opening == CANNOT_TELL else ''}."
    )
    question = (
        "Over-fitting or optimisation?" if not residual else "Does the residual net over-fit?"
    )
    return verdict("overfitting-" + kind, question, finding, text, ends)


def _cause_in_words(training: Finding, finding: Finding) -> str:
    rises, grows = training.answer is Answer.YES, finding.answer is Answer.YES
    if rises and training.measure is Measure.ERROR:
        return "Both, training error and over-fitting grow" if grows else "Optimisation"
    if grows:
        return "Over-fitting grows"
    return CANNOT_TELL if finding.answer is Answer.CANNOT_TELL else "Neither grows"
