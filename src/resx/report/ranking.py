"""Which of several settings trains best, in words."""

from typing import Any

import pandas as pd

from resx.report.verdicts import CLEAN, MARGIN, diverged_runs, judged
from resx.statistics import paired


def ranking(runs: pd.DataFrame, settings: list[str]) -> str:
    """Which of the rows' other settings trains best, which worst? For residual nets.

    Of the greatest depth, unless every setting has a depth of its own. By clean training error, or
    by the loss where all errors are below half a point.
    """
    final = judged(runs)
    final, at = final[final["residual"]], ""
    if final.groupby(settings, dropna=False)["depth"].nunique().max() > 1:
        final = final[final["depth"] == final["depth"].max()]
    if final["depth"].nunique() == 1:
        at = f" at {final['depth'].iloc[0]} layers"
    groups = dict(list(final.groupby(settings, dropna=False)))
    lost = [key for key, group in groups.items() if diverged_runs(group)]
    diverged = f" Diverged: {'; '.join(_told(settings, key) for key in lost)}." if lost else ""
    errors = {key: group[CLEAN].mean() for key, group in groups.items() if key not in lost}
    errors = {key: error for key, error in errors.items() if error == error}
    if len(errors) < 2:
        return diverged.strip()
    where = f"Which trains best{at}?"
    by_loss = max(errors.values()) < MARGIN
    measure = "train_clean_loss" if by_loss else CLEAN
    means = {key: groups[key][measure].mean() for key in errors}
    best, worst = (choose(means, key=means.__getitem__) for choose in (min, max))
    if means[best] == means[worst]:
        return f"{where} All are alike: {100 * errors[best]:.2f} % clean training error.{diverged}"
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
    return f"{where} By clean training {what}: {', '.join(told)}; {sure}.{diverged}"


def _told(settings: list[str], key: tuple[Any, ...], other: tuple[Any, ...] = ()) -> str:
    """`shortcut C, width 8`: the settings of a key, or only those in which another differs."""
    pairs = zip(settings, key, other or [None] * len(key))
    kept = [(s, value) for s, value, theirs in pairs if not other or value != theirs]
    return ", ".join(f"{s.rsplit('.', 1)[-1].replace('_', ' ')} {value}" for s, value in kept)
