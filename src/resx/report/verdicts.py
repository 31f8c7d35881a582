"""What the intervals say, in words; errors become percentage points here."""

import pandas as pd

from resx.report.statistics import Estimate, gap_table, paired, seeds_needed, side

MARGIN = 0.005  # a rise whose interval lies below half a point is none
CLEAN, TEST = "train_clean_error", "test_error"


def points(value: float) -> str:
    return f"{100 * value:+.2f}"


def interval(difference: Estimate) -> str:
    if not difference.has_interval:
        return "one seed, so no interval"
    low, high = points(difference.low), points(difference.high)
    return f"95 % interval {low} to {high}, {difference.n} seeds"


def verdicts(runs: pd.DataFrame) -> list[str]:
    """Sentences on degradation, its cause, and the gap, over runs that differ in depth."""
    said = [degradation(runs, side) for side in (False, True) if (runs["residual"] == side).any()]
    said += [cause(runs), first_gap(runs)]
    return [sentence for sentence in said if sentence]


def degradation(runs: pd.DataFrame, residual: bool) -> str:
    """Does the clean training error rise from the shallowest to the deepest net? (notes, 1.2)"""
    kind = "residual" if residual else "plain"
    done = runs[(runs["residual"] == residual) & runs[CLEAN].notna()]
    depths = sorted(done["depth"].unique())
    if len(depths) < 2:
        return f"Does the {kind} net degrade? Nothing to say: it needs runs of two depths."
    shallow, deep = depths[0], depths[-1]
    errors = [side(done, d, residual, CLEAN) for d in (shallow, deep)]
    rise = paired(errors[1], errors[0])
    if rise.n == 0:
        return f"Does the {kind} net degrade? Nothing to say: no seed has both depths."
    means = (
        f"{100 * errors[0].mean():.2f} % at {shallow} to {100 * errors[1].mean():.2f} % at {deep}"
    )
    fact = f"clean training error goes from {means} layers ({points(rise.mean)} points; "
    return f"Does the {kind} net degrade? {_answer(rise)}: {fact}{interval(rise)})."


def _answer(rise: Estimate) -> str:
    if not rise.has_interval:
        return "It seems so" if rise.mean > MARGIN else "It seems not"
    if rise.low > 0 and rise.high > MARGIN:
        return "Yes"
    if rise.high <= MARGIN:
        return "No"
    return f"Inconclusive, {more_seeds(rise)}"


def more_seeds(difference: Estimate) -> str:
    needed = seeds_needed(difference)
    if needed is None:
        return "and no affordable number of seeds would settle it"
    return f"about {needed} more seed{'s' if needed > 1 else ''} would settle it"


def cause(runs: pd.DataFrame) -> str:
    """Over-fitting would lower the training error and raise the test error (notes, Q3)."""
    done = runs[~runs["residual"] & runs[CLEAN].notna() & runs[TEST].notna()]
    depths = sorted(done["depth"].unique())
    if len(depths) < 2:
        return ""
    train, test = (
        paired(side(done, depths[-1], False, m), side(done, depths[0], False, m))
        for m in (CLEAN, TEST)
    )
    if train.n == 0:
        return ""
    changes = f"training error {points(train.mean)} points, test error {points(test.mean)}"
    where = f"from plain-{depths[0]} to plain-{depths[-1]}: {changes}"
    if train.low > 0 and test.low > 0:
        return f"Over-fitting or optimisation? Optimisation, both rise {where}."
    if train.high < 0 and test.low > 0:
        return f"Over-fitting or optimisation? Over-fitting {where}."
    return f"Over-fitting or optimisation? The intervals do not tell {where}."


def first_gap(runs: pd.DataFrame) -> str:
    """The smallest depth at which the shortcut's gain is beyond doubt (notes, 8.3)."""
    done = runs[runs[CLEAN].notna()]
    cells = [c for c in gap_table(done, ["depth"], CLEAN) if c.gap.n] if len(done) else []
    if not cells:
        return ""
    for cell in cells:
        if cell.gap.excludes_zero:
            gap = f"{points(cell.gap.mean)} points; {interval(cell.gap)}"
            return f"From which depth on is there a gap? From {cell.key[0]} layers ({gap})."
    last = cells[-1].gap
    if not last.has_interval:
        return "From which depth on is there a gap? One seed gives no interval to tell."
    return f"From which depth on is there a gap? Inconclusive at every depth; {more_seeds(last)}."
