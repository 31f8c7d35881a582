"""What an inference hands back: plain data, from which a report makes its sentences."""

from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    """Of a question "is the first greater than the second?", by more than a stated margin."""

    YES = "yes"
    NO = "no"  # level: the interval lies within the margin on both sides
    REVERSED = "reversed"
    BOTH = "both"  # of a question with two sides, such as "over-fitting or optimisation?"
    CANNOT_TELL = "cannot tell"


class Measure(StrEnum):
    """On which scale effect, interval and margin of a finding are to be read."""

    ERROR = "error"  # a difference of fractions
    LOSS = "loss"  # a ratio of losses
    STEPS = "steps"  # a ratio of optimisation steps
    TEST_MINUS_TRAIN = "test minus train"  # a change of a difference of fractions


class Reason(StrEnum):
    """What decided, or what kept a question from being decided."""

    INTERVAL = "interval"  # where the interval lies
    FLOOR = "floor"  # all errors are a few images, and there are no losses to decide instead
    CHANCE = "chance"  # half or more of the runs of both networks diverged or learned nothing
    UNTRAINED = "untrained"  # the same of one network, so that over-fitting is no question
    DIVERGED = "diverged"  # runs diverged, and the question has no ranks to count them in
    NO_NUMBERS = "no numbers"  # no run has a finite loss, or none arrives
    FEW_SEEDS = "few seeds"  # a network that fails now and then could look like this by luck
    WORST_RANK = "worst rank"  # runs failed: ranks decide, in which these are the worst
    FAILURES = "failures"  # runs failed, and the seeds suffice to compare their numbers only


Span = tuple[float, float]


@dataclass(frozen=True)
class Finding:
    """One answer with what it rests on.

    `effect` is the difference (first minus second) or the ratio (first over second) of what is
    typical, `interval` holds it with 95 % confidence, `n` counts the seeds of both, `failed` those
    that diverged or stayed at chance; of steps, those that never arrive. A finding that no interval
    belongs to has a `p`, one-sided, of a `test`: `Reason.WORST_RANK` or `Reason.FAILURES`. `depths`
    are those that were compared.
    """

    answer: Answer
    measure: Measure
    margin: float
    reason: Reason
    n: tuple[int, int]
    effect: float | None = None
    interval: Span | None = None
    p: float | None = None
    failed: tuple[int, int] = (0, 0)
    depths: tuple[int, int] | None = None
    test: Reason | None = None


def decide(interval: Span, level: Span) -> Answer:
    """Yes above the level zone, reversed below it, no inside it, and else nothing.

    The zone is [-margin, margin] of a difference, [1 / margin, margin] of a ratio. The three
    claims exclude each other, so that no answer needs a correction for the others (the tests of
    superiority and of equivalence are one interval: Schuirmann 1987, Goeman et al. 2010).
    """
    if interval[0] > level[1]:
        return Answer.YES
    if interval[1] < level[0]:
        return Answer.REVERSED
    if level[0] <= interval[0] and interval[1] <= level[1]:
        return Answer.NO
    return Answer.CANNOT_TELL
