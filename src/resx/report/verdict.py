"""A verdict: the answer to one question about a set of runs, as data, with its sentence."""

import math
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from resx.report.measures import CLEAN_ERROR
from resx.statistics import NO_ESTIMATE, Estimate

MARGIN = 0.005  # a difference of errors whose interval lies below half a point counts as none
N_DIVERGED, SHARE_DIVERGED = "n_diverged", "share_diverged"  # measures where runs diverged


class Answer(StrEnum):
    YES = "yes"
    NO = "no"  # level within the margin
    REVERSED = "reversed"  # the opposite of what the question expects is the case
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Verdict:
    """`effect` and its 95 % `interval` are in the unit of `measure`; errors are fractions.

    `n` counts the seeds, or runs, that decide; `margin` is what counts as no effect. What does not
    exist is None: an effect without data, an interval of one seed. `depths` are those compared, or
    the one at which an effect begins; `scope` names the runs where there are several groups of
    them, such as "shortcut A".
    """

    question: str
    answer: Answer
    effect: float | None
    interval: tuple[float, float] | None
    measure: str
    margin: float | None
    n: int
    text: str
    depths: tuple[int, ...] = ()
    scope: str = ""

    def within(self, scope: str) -> "Verdict":
        """The same of one group among several."""
        return replace(self, scope=scope, text=f"With {scope}: {self.text}")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"answer": str(self.answer)}


def verdict(
    question: str,
    answer: Answer,
    difference: Estimate,
    text: str,
    measure: str = CLEAN_ERROR.column,
    margin: float | None = MARGIN,
    depths: tuple[int, ...] = (),
) -> Verdict:
    """Of a difference over seeds."""
    return Verdict(
        question=question,
        answer=answer,
        effect=None if math.isnan(difference.mean) else difference.mean,
        interval=(difference.low, difference.high) if difference.has_interval else None,
        measure=measure,
        margin=margin,
        n=difference.n,
        text=text,
        depths=tuple(map(int, depths)),
    )


def undecided(question: str, text: str, depths: tuple[int, ...] = ()) -> Verdict:
    """No runs to compare."""
    return verdict(question, Answer.CANNOT_TELL, NO_ESTIMATE, text, depths=depths)


def rise_answer(rise: Estimate) -> Answer:
    """Does it rise? A rise within the margin is none, even where its interval excludes zero."""
    if not rise.has_interval:
        return Answer.CANNOT_TELL
    if rise.high <= MARGIN:
        falls = rise.high < 0 and rise.low < -MARGIN
        return Answer.REVERSED if falls else Answer.NO
    return Answer.YES if rise.low > 0 else Answer.CANNOT_TELL


def gain_answer(gain: Estimate) -> Answer:
    """Is there a gain? The smallest is one if its interval excludes zero."""
    if not gain.has_interval:
        return Answer.CANNOT_TELL
    if gain.excludes_zero:
        return Answer.YES if gain.low > 0 else Answer.REVERSED
    return Answer.NO if gain.high <= MARGIN else Answer.CANNOT_TELL
