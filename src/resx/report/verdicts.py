"""What the intervals say, in words; errors become percentage points here."""

import pandas as pd

from resx.statistics import Estimate, gap_table, paired, seeds_needed, side

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
    """Sentences on degradation, its cause, and the gap, over runs that differ in depth.

    Of one depth there is only the gap. Only finished and diverged runs count; a diverged one has
    no error, but is a result.
    """
    final = judged(runs)
    if final["depth"].nunique() == 1:
        return [sentence for sentence in [shortcut_helps(final)] if sentence]
    said = [degradation(final, r) for r in (False, True) if (final["residual"] == r).any()]
    said += [cause(final), first_gap(final)]
    return [sentence for sentence in said if sentence]


def judged(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that have come to their end, without the last records of those that diverged."""
    final = runs[runs["status"].isin(["finished", "diverged"])]
    finished = final["status"] == "finished"
    return final.assign(**{m: final[m].where(finished) for m in (CLEAN, TEST)})


def degradation(runs: pd.DataFrame, residual: bool) -> str:
    """Does the clean training error rise from the shallowest to the deepest net? (notes, 1.2)"""
    kind = "residual" if residual else "plain"
    question = f"Does the {kind} net degrade?"
    mine = runs[runs["residual"] == residual]
    depths = sorted(mine["depth"].unique())
    if len(depths) < 2:
        return f"{question} Nothing to say: it needs runs of two depths."
    shallow, deep = depths[0], depths[-1]
    lost, lost_shallow = (diverged_runs(mine[mine["depth"] == d]) for d in (deep, shallow))
    errors = [side(mine, d, residual, CLEAN).dropna() for d in (shallow, deep)]
    seeds = errors[0].index.intersection(errors[1].index)
    rise = paired(errors[1], errors[0])
    if lost > lost_shallow:
        told = f"{lost} of {(mine['depth'] == deep).sum()} runs of {deep} layers diverged"
        return f"{question} Yes: {told}, {lost_shallow} of {shallow} layers."
    if rise.n == 0:
        return f"{question} Nothing to say: no seed has finished at both depths."
    first, last = (100 * e[seeds].mean() for e in errors)
    fact = f"clean training error goes from {first:.2f} % at {shallow} to {last:.2f} % at {deep}"
    return (
        f"{question} {_answer(rise)}: {fact} layers ({points(rise.mean)} points; {interval(rise)})."
    )


def diverged_runs(runs: pd.DataFrame) -> int:
    return int((runs["status"] == "diverged").sum())


def _answer(rise: Estimate) -> str:
    if not rise.has_interval:
        return "It seems so" if rise.mean > MARGIN else "It seems not"
    if rise.high <= MARGIN:
        return "No"
    if rise.low > 0:
        return "Yes"
    return f"Inconclusive, {more_seeds(rise, MARGIN)}"


def more_seeds(difference: Estimate, margin: float | None = None) -> str:
    """How many more would settle it; below `margin` a rise counts as none."""
    needed = seeds_needed(difference, margin)
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


def shortcut_helps(runs: pd.DataFrame) -> str:
    """Does the residual net of this depth train better than its plain twin?"""
    depth = runs["depth"].iloc[0]
    sides = [runs[runs["residual"] == r] for r in (False, True)]
    if any(s.empty for s in sides):
        return ""
    question = "Does the shortcut help?"
    lost = [diverged_runs(s) / len(s) for s in sides]
    counts = [f"{diverged_runs(s)} of {len(s)}" for s in sides]
    told = f"{counts[0]} plain and {counts[1]} residual runs diverged"
    if lost[0] != lost[1]:
        return f"{question} {'Yes' if lost[0] > lost[1] else 'No'}: {told}."
    errors = [side(runs, depth, r, CLEAN).dropna() for r in (False, True)]
    seeds = errors[0].index.intersection(errors[1].index)
    gap = paired(*errors)
    if gap.n == 0:
        return f"{question} Nothing to say: no seed has finished with and without it."
    plain, residual = (100 * e[seeds].mean() for e in errors)
    fact = f"clean training error {plain:.2f} % without, {residual:.2f} % with it"
    tail = f"{fact} ({points(gap.mean)} points; {interval(gap)})" + f"; {told}" * any(lost)
    if not gap.has_interval:
        return f"{question} {'It seems so' if gap.mean > MARGIN else 'It seems not'}: {tail}."
    if gap.low > 0:
        return f"{question} Yes: {tail}."
    if gap.high < 0:
        return f"{question} No, it harms: {tail}."
    if gap.high <= MARGIN:
        return f"{question} No: {tail}."
    return f"{question} Inconclusive, {more_seeds(gap, MARGIN)}: {tail}."


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
