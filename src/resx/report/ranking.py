"""Which of several settings trains best."""

from dataclasses import replace
from typing import Any

import pandas as pd

from resx.report.labels import as_key
from resx.report.measures import CLEAN_ERROR, CLEAN_LOSS
from resx.report.sentences import percent
from resx.report.verdict import MARGIN, Answer, Verdict, undecided, verdict
from resx.report.verdicts import ended_runs, n_diverged
from resx.statistics import Estimate, paired

QUESTION = "Do the settings train differently?"
Key = tuple[Any, ...]  # values of the settings


def ranking(runs: pd.DataFrame, settings: list[str]) -> Verdict | None:
    """Which of the rows' other settings trains best, which worst? For residual nets.

    Of the greatest depth, unless every setting has a depth of its own. By clean training error, or
    by the loss where all errors are below half a point. None where there is nothing to compare.
    """
    ended = ended_runs(runs)
    nets = _of_comparable_depth(ended[ended["residual"]], settings)
    groups = {as_key(key): group for key, group in nets.groupby(settings, dropna=False)}
    failed = [key for key, group in groups.items() if n_diverged(group)]
    trained = {
        key: group
        for key, group in groups.items()
        if key not in failed and group[CLEAN_ERROR.column].notna().any()
    }
    divergences = f"Diverged: {'; '.join(_written(settings, key) for key in failed)}."
    depths = tuple(sorted(nets["depth"].unique()))
    if len(trained) < 2:
        return undecided(QUESTION, divergences, depths) if failed else None
    question = f"Which trains best{f' at {depths[0]} layers' if len(depths) == 1 else ''}?"
    found = _best_and_worst(trained, settings)
    text = f"{question} {found.text}{f' {divergences}' if failed else ''}"
    return replace(found, text=text, depths=tuple(map(int, depths)))


def _of_comparable_depth(nets: pd.DataFrame, settings: list[str]) -> pd.DataFrame:
    """The deepest ones, as all settings have them; or all, where a setting has only one depth."""
    if nets.groupby(settings, dropna=False)["depth"].nunique().max() > 1:
        return nets[nets["depth"] == nets["depth"].max()]
    return nets


def _best_and_worst(groups: dict[Key, pd.DataFrame], settings: list[str]) -> Verdict:
    """The extremes of the mean over seeds, and whether their difference excludes zero."""
    errors = {key: group[CLEAN_ERROR.column].mean() for key, group in groups.items()}
    # Errors of a few images differ by chance; the loss still tells such settings apart.
    measure = CLEAN_LOSS if max(errors.values()) < MARGIN else CLEAN_ERROR
    means = {key: group[measure.column].mean() for key, group in groups.items()}
    best, worst = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    rise = paired(*(groups[key].set_index("seed")[measure.column] for key in (worst, best)))
    if means[best] == means[worst]:
        answer, text = Answer.NO, f"All are alike: {percent(errors[best])} clean training error."
    else:
        answer = Answer.YES if rise.low > 0 else Answer.CANNOT_TELL
        scores = [
            f"{measure.show(means[key])}{' %' * measure.is_error} with "
            + _written(settings, key, unlike=other)
            for key, other in ((best, worst), (worst, best))
        ]
        by = "error" if measure.is_error else "loss (all errors are below half a point)"
        text = f"By clean training {by}: {', '.join(scores)}; {_certainty(rise)}."
    return verdict(QUESTION, answer, rise, text, measure.column, margin=None)


def _certainty(rise: Estimate) -> str:
    if not rise.has_interval:
        return "one seed, so no interval"
    return f"{'beyond' if rise.low > 0 else 'within'} the 95 % interval of {rise.n} seeds"


def _written(settings: list[str], key: Key, unlike: Key = ()) -> str:
    """`shortcut C, width 8`: the values of a key, or only those in which another differs."""
    values = dict(zip(settings, key))
    if unlike:
        values = {s: v for (s, v), other in zip(values.items(), unlike) if v != other}
    words = (setting.rsplit(".", 1)[-1].replace("_", " ") for setting in values)
    return ", ".join(f"{word} {value}" for word, value in zip(words, values.values()))
