"""From the data of a verdict to its English; errors become percentage points here."""

from resx.report.measures import CLEAN_ERROR
from resx.report.verdict import MARGIN, Answer
from resx.statistics import Estimate, seeds_needed


def points(difference: float) -> str:
    return CLEAN_ERROR.show_difference(difference)


def percent(error: float) -> str:
    return f"{CLEAN_ERROR.show(error)} %"


def change(difference: Estimate) -> str:
    """`+4.90 points; 95 % interval +3.52 to +6.28, 3 seeds`."""
    return f"{points(difference.mean)} points; {interval(difference)}"


def interval(difference: Estimate) -> str:
    if not difference.has_interval:
        return "one seed, so no interval"
    low, high = points(difference.low), points(difference.high)
    return f"95 % interval {low} to {high}, {difference.n} seeds"


def opening(answer: Answer, difference: Estimate, reverse: str = "No") -> str:
    """The first words after a question; `reverse` says what the reverse is."""
    if not difference.has_interval:
        return "It seems so" if difference.mean > MARGIN else "It seems not"
    if answer is Answer.CANNOT_TELL:
        return f"Inconclusive, {more_seeds(difference, MARGIN)}"
    return {Answer.YES: "Yes", Answer.NO: "No", Answer.REVERSED: reverse}[answer]


def more_seeds(difference: Estimate, margin: float | None = None) -> str:
    """How many more would settle it; below `margin` a difference counts as none."""
    needed = seeds_needed(difference, margin)
    if needed is None:
        return "and no affordable number of seeds would settle it"
    return f"about {needed} more seed{'s' if needed > 1 else ''} would settle it"


def nothing_to_say(question: str, reason: str) -> str:
    return f"{question} Nothing to say: {reason}."
