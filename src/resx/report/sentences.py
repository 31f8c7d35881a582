"""From findings to English; errors become percentage points here."""

import math

import numpy as np

from resx.inference import (
    Answer,
    Arm,
    ErrorLocation,
    Finding,
    LogLocation,
    Measure,
    Reason,
    Rules,
    is_exact,
    numbers,
    seeds_for_errors,
    seeds_for_ratio,
)
from resx.report.measures import CLEAN_ERROR

CANNOT_TELL = "Cannot tell"
RATIOS = (Measure.LOSS, Measure.STEPS)
WHY_NOT = {
    Reason.UNTRAINED: "half or more of the runs of a network diverged or stayed at chance, so that"
    " over-fitting is no question",
    Reason.CHANCE: "half or more of the runs of both networks diverged or stayed at chance",
    Reason.DIVERGED: "runs diverged, and an interval of the others would not count them",
    Reason.NO_NUMBERS: "no run has a finite number to compare",
    Reason.FLOOR: "all errors are a few images, and there are no finite losses to decide",
}


def points(difference: float) -> str:
    return CLEAN_ERROR.show_difference(difference)


def percent(error: float) -> str:
    return f"{CLEAN_ERROR.show(error)} %"


def level(arm: Arm, measure: Measure) -> str:
    """What is typical of a network: `60.22 %`, a loss of `0.0031`, `divergence in 2 of 3 runs`."""
    if arm.diverged == arm.n:
        return "divergence" if arm.n else "nothing"
    if 2 * arm.diverged >= arm.n:  # what the others reached is not typical of it
        return f"divergence in {arm.diverged} of {arm.n} runs"
    if measure is Measure.LOSS:
        losses = numbers(arm.losses)
        finite = losses[~np.isnan(losses)]
        if 0 < len(finite) <= len(losses) / 2:
            return f"no finite loss in {len(losses) - len(finite)} of {len(losses)} runs"
        return f"{math.exp(LogLocation(finite).typical):.4g}" if len(finite) else "no finite loss"
    return percent(ErrorLocation(arm.finished_errors, arm.images).typical)


def quantity(name: str, finding: Finding, rules: Rules) -> str:
    """`clean training error`; where losses decide, that they do, and why."""
    if finding.measure is not Measure.LOSS:
        return name
    why = "" if rules.by_loss else "all errors are at the floor, so losses decide: "
    return why + name.replace("error", "loss")


def evidence(finding: Finding) -> str:
    """`+4.90 points; 95 % interval +3.52 to +6.28; margin 0.5 points; 3 seeds`, or the p."""
    ratio = finding.measure in RATIOS
    parts = []
    lost = "runs that never arrive" if finding.measure is Measure.STEPS else "failed runs"
    if finding.effect is not None:
        size = _times(finding.effect) if ratio else f"{points(finding.effect)} points"
        of_what = f" between medians, of which {lost} are part" if finding.p is not None else ""
        parts.append(size + of_what)
    elif finding.p is None:
        parts.append("not known")
    if finding.interval is not None:
        low, high = (f"{v:.3g}" if ratio else points(v) for v in finding.interval)
        parts.append(f"95 % interval {low} to {high}")
    if finding.p is not None:
        ranks = finding.test is Reason.WORST_RANK
        exact = "exact " if not ranks or is_exact(*finding.n) else ""
        kind = "ranks" if ranks else f"numbers of {lost}"
        parts.append(f"{exact}p = {finding.p:.2g} by {kind}")
    margin = f"a factor of {finding.margin:g}" if ratio else f"{100 * finding.margin:g} points"
    parts += [f"margin {margin}", seeds(finding.n)]
    return "; ".join(parts)


def _times(factor: float) -> str:
    return f"{factor:.3g} times"


def seeds(n: tuple[int, int]) -> str:
    count = str(n[0]) if n[0] == n[1] else f"{n[0]} and {n[1]}"
    return f"{count} seed{'' if n == (1, 1) else 's'}"


def failures(finding: Finding, names: tuple[str, str]) -> str:
    """`; 1 of 3 plain and 0 of 3 residual runs failed (diverged or at chance)`, or nothing."""
    if not any(finding.failed):
        return ""
    (first, second), (n, m) = finding.failed, finding.n
    who = f"{first} of {n} {names[0]} and {second} of {m} {names[1]} runs"
    return f"; {who} failed (diverged or at chance)"


def why_not(finding: Finding, plan: str = "the interval is too wide to tell") -> str:
    """`; <why a question cannot be answered, and what would>`; empty if it is answered.

    `plan` is what to say where more seeds might answer it, such as `fresh_set` does.
    """
    if finding.answer is not Answer.CANNOT_TELL:
        return ""
    return f"; {_why_not(finding, plan)}"


def _why_not(finding: Finding, plan: str) -> str:
    if finding.reason in WHY_NOT:
        return WHY_NOT[finding.reason]
    if min(finding.n) < 2:
        return "one seed gives no interval" if min(finding.n) else "a network has no runs"
    if finding.reason is Reason.FEW_SEEDS:
        return "with so few seeds two equal networks could look like this by luck"
    if finding.reason is Reason.FAILURES:
        what = "that" if finding.measure is Measure.STEPS else "failures"
        return f"too few seeds to tell {what} from luck"
    if finding.reason is Reason.WORST_RANK:
        return "ranks, in which failed runs are the worst, do not tell them apart"
    return plan


def fresh_set(seeds: int | None) -> str:
    """What `fresh_seeds` has found."""
    if seeds is None:
        return "even a fresh set of a hundred seeds might not tell"
    return f"a fresh set of about {seeds} seeds each would tell with 80 % power"


def fresh_seeds(
    first: Arm, second: Arm, finding: Finding, rules: Rules, shallower: int = 1
) -> int | None:
    """How many fresh seeds an open question needs; None if it is answered or none suffice.

    `shallower` counts the networks of which the better one of the two is the best.
    """
    if finding.answer is not Answer.CANNOT_TELL or finding.interval is None or min(finding.n) < 2:
        return None
    if finding.measure is Measure.LOSS:
        return seeds_for_ratio(first.losses, second.losses, rules, shallower=shallower)
    return seeds_for_errors(first, second, rules, shallower=shallower)
