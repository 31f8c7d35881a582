"""What the intervals say, in words; errors become percentage points here."""

from typing import Any

import pandas as pd

from resx.report.statistics import Estimate, gap_table, paired, seeds_needed, side

MARGIN = 0.005  # a rise whose interval lies below half a point is none
CLEAN, TEST, LOSS = "train_clean_error", "test_error", "train_clean_loss"


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
    lost, lost_shallow = (_diverged(mine[mine["depth"] == d]) for d in (deep, shallow))
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


def _diverged(runs: pd.DataFrame) -> int:
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
    lost = [_diverged(s) for s in sides]
    question = "Does the shortcut help?"
    if lost[0] != lost[1]:
        told = f"{lost[0]} of {len(sides[0])} plain runs and {lost[1]} of {len(sides[1])} residual"
        return f"{question} {'Yes' if lost[0] > lost[1] else 'No'}: {told} ones diverged."
    gap = paired(*(side(runs, depth, r, CLEAN) for r in (False, True)))
    if gap.n == 0:
        return f"{question} Nothing to say: no seed has finished with and without."
    plain, residual = (100 * s[CLEAN].mean() for s in sides)
    fact = f"clean training error {plain:.2f} % without, {residual:.2f} % with it"
    tail = f"{fact} ({points(gap.mean)} points; {interval(gap)})"
    if not gap.has_interval:
        return f"{question} {'It seems so' if gap.mean > MARGIN else 'It seems not'}: {tail}."
    if gap.low > 0:
        return f"{question} Yes: {tail}."
    if gap.high < 0:
        return f"{question} No, it harms: {tail}."
    if gap.high <= MARGIN:
        return f"{question} No: {tail}."
    return f"{question} Inconclusive, {more_seeds(gap, MARGIN)}: {tail}."


def ranking(runs: pd.DataFrame, settings: list[str]) -> str:
    """Which of the rows' other settings trains best, which worst? For the deepest residual nets.

    By clean training error, or by the loss where all errors are below half a point.
    """
    final = judged(runs)
    deepest = final[final["residual"] & (final["depth"] == final["depth"].max())]
    groups = dict(list(deepest.groupby(settings, dropna=False)))
    lost = [key for key, group in groups.items() if _diverged(group)]
    diverged = f" Diverged: {'; '.join(_told(settings, key) for key in lost)}." if lost else ""
    errors = {key: group[CLEAN].mean() for key, group in groups.items() if key not in lost}
    errors = {key: error for key, error in errors.items() if error == error}
    if len(errors) < 2:
        return diverged.strip()
    by_loss = max(errors.values()) < MARGIN
    measure = LOSS if by_loss else CLEAN
    means = {key: groups[key][measure].mean() for key in errors}
    best, worst = (choose(means, key=means.__getitem__) for choose in (min, max))
    rise = paired(*(groups[key].set_index("seed")[measure] for key in (worst, best)))
    sure = "one seed, so no interval"
    if rise.has_interval:
        sure = f"{'beyond' if rise.low > 0 else 'within'} the 95 % interval of {rise.n} seeds"
    told = [
        (f"{means[key]:.4f}" if by_loss else f"{100 * means[key]:.2f} %")
        + f" with {_told(settings, key, other)}"
        for key, other in ((best, worst), (worst, best))
    ]
    what = "loss (all errors are below half a point)" if by_loss else "error"
    where = f"Which trains best at {deepest['depth'].iloc[0]} layers?"
    return f"{where} By clean training {what}: {', '.join(told)}; {sure}.{diverged}"


def _told(settings: list[str], key: tuple[Any, ...], other: tuple[Any, ...] = ()) -> str:
    """`shortcut C, width 8`: the settings of a key, or only those in which another differs."""
    pairs = zip(settings, key, other or [None] * len(key))
    kept = [(s, value) for s, value, theirs in pairs if not other or value != theirs]
    return ", ".join(f"{s.rsplit('.', 1)[-1].replace('_', ' ')} {value}" for s, value in kept)


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
