"""Verdicts on depth and shortcuts: degradation, its cause, the gap and where it begins."""

import pandas as pd

from resx.report.labels import network_kind
from resx.report.measures import CLEAN_ERROR, TEST_ERROR
from resx.report.sentences import change, more_seeds, nothing_to_say, opening, percent, points
from resx.report.verdict import (
    N_DIVERGED,
    SHARE_DIVERGED,
    Answer,
    Verdict,
    gain_answer,
    rise_answer,
    undecided,
    verdict,
)
from resx.statistics import by_seed, gap_table, paired
from resx.store.summary import Status

CLEAN, TEST = CLEAN_ERROR.column, TEST_ERROR.column


def verdicts(runs: pd.DataFrame) -> list[Verdict]:
    """On degradation, its cause, and the gap, over runs that differ in depth.

    Of one depth there is only the gap. Only finished and diverged runs count; a diverged one has
    no error, but is a result.
    """
    ended = ended_runs(runs)
    if ended["depth"].nunique() == 1:
        found = [shortcut_helps(ended)]
    else:
        kinds = [kind for kind in (False, True) if (ended["residual"] == kind).any()]
        found = [*(degradation(ended, kind) for kind in kinds), cause(ended), first_gap(ended)]
    return [each for each in found if each]


def ended_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """Those with nothing left to train, without the last records of those that diverged."""
    ended = runs[runs["status"].isin([Status.FINISHED, Status.DIVERGED])]
    finished = ended["status"] == Status.FINISHED
    return ended.assign(**{column: ended[column].where(finished) for column in (CLEAN, TEST)})


def degradation(runs: pd.DataFrame, residual: bool) -> Verdict:
    """Does the clean training error rise from the shallowest to the deepest net? (notes, 1.2)"""
    question = f"Does the {network_kind(residual)} net degrade?"
    networks = runs[runs["residual"] == residual]
    depths = sorted(networks["depth"].unique())
    if len(depths) < 2:
        text = nothing_to_say(question, "it needs runs of two depths")
        return undecided(question, text, tuple(depths))
    ends = shallow, deep = depths[0], depths[-1]
    shallow_runs, deep_runs = (networks[networks["depth"] == depth] for depth in ends)
    if n_diverged(deep_runs) > n_diverged(shallow_runs):
        return _more_diverge_with_depth(question, shallow_runs, deep_runs)
    # Of one seed the nets of two depths see the same batches, so differences are paired.
    errors = [by_seed(group, CLEAN).dropna() for group in (shallow_runs, deep_runs)]
    rise = paired(errors[1], errors[0])
    if rise.n == 0:
        reason = "no seed has finished at both depths"
        return undecided(question, nothing_to_say(question, reason), ends)
    answer = rise_answer(rise)
    first, last = means_of_common_seeds(*errors)
    fact = f"clean training error goes from {percent(first)} at {shallow} to {percent(last)}"
    text = f"{question} {opening(answer, rise)}: {fact} at {deep} layers ({change(rise)})."
    return verdict(question, answer, rise, text, depths=ends)


def _more_diverge_with_depth(
    question: str, shallow_runs: pd.DataFrame, deep_runs: pd.DataFrame
) -> Verdict:
    """The survivors' errors do not count: training that fails for more seeds is degradation."""
    shallow, deep = (int(runs["depth"].iloc[0]) for runs in (shallow_runs, deep_runs))
    few, many = n_diverged(shallow_runs), n_diverged(deep_runs)
    fact = f"{many} of {len(deep_runs)} runs of {deep} layers diverged, {few} of {shallow} layers"
    return Verdict(
        question=question,
        answer=Answer.YES,
        effect=float(many - few),
        interval=None,
        measure=N_DIVERGED,
        margin=None,
        n=len(deep_runs),
        text=f"{question} Yes: {fact}.",
        depths=(shallow, deep),
    )


def n_diverged(runs: pd.DataFrame) -> int:
    return int((runs["status"] == Status.DIVERGED).sum())


def means_of_common_seeds(*errors: "pd.Series[float]") -> tuple[float, ...]:
    """The means that belong to a paired difference: of the seeds that all of them have."""
    seeds = errors[0].index
    for other in errors[1:]:
        seeds = seeds.intersection(other.index)
    return tuple(float(each[seeds].mean()) for each in errors)


def cause(runs: pd.DataFrame) -> Verdict | None:
    """Over-fitting would lower the training error and raise the test error (notes, Q3).

    The verdict's effect is the change of the training error. None without plain runs of two depths.
    """
    plain = runs[~runs["residual"] & runs[CLEAN].notna() & runs[TEST].notna()]
    depths = sorted(plain["depth"].unique())
    if len(depths) < 2:
        return None
    ends = depths[0], depths[-1]
    shallow_runs, deep_runs = (plain[plain["depth"] == depth] for depth in ends)
    train, test = (
        paired(by_seed(deep_runs, column), by_seed(shallow_runs, column))
        for column in (CLEAN, TEST)
    )
    if train.n == 0:
        return None
    answer, opening_words = Answer.CANNOT_TELL, "The intervals do not tell"
    # With one seed the ends of the intervals are NaN, which is above and below nothing.
    if train.low > 0 and test.low > 0:
        answer, opening_words = Answer.YES, "Optimisation, both rise"
    elif train.high < 0 and test.low > 0:
        answer, opening_words = Answer.REVERSED, "Over-fitting"
    changes = f"training error {points(train.mean)} points, test error {points(test.mean)}"
    text = f"Over-fitting or optimisation? {opening_words} from plain-{ends[0]} to plain-{ends[1]}"
    question = "Is it optimisation that fails, not generalisation?"
    return verdict(question, answer, train, f"{text}: {changes}.", depths=ends)


def shortcut_helps(runs: pd.DataFrame) -> Verdict | None:
    """Does the residual net of this depth train better than its plain twin?

    None if one of the twins is missing.
    """
    twins = plain, residual = runs[~runs["residual"]], runs[runs["residual"]]
    if plain.empty or residual.empty:
        return None
    question = "Does the shortcut help?"
    ends = (runs["depth"].iloc[0],)
    shares = [n_diverged(twin) / len(twin) for twin in twins]
    counts = [f"{n_diverged(twin)} of {len(twin)}" for twin in twins]
    divergences = f"{counts[0]} plain and {counts[1]} residual runs diverged"
    # Where one twin diverges more often, the errors of the survivors compare the lucky ones.
    if shares[0] != shares[1]:
        return _fewer_diverge(question, twins, shares, divergences)
    errors = [by_seed(twin, CLEAN).dropna() for twin in twins]
    gain = paired(*errors)
    if gain.n == 0:
        reason = "no seed has finished with and without it"
        return undecided(question, nothing_to_say(question, reason), ends)
    answer = gain_answer(gain)
    without, with_it = means_of_common_seeds(*errors)
    fact = f"clean training error {percent(without)} without, {percent(with_it)} with it"
    tail = f"{fact} ({change(gain)})" + (f"; {divergences}" if any(shares) else "")
    text = f"{question} {opening(answer, gain, reverse='No, it harms')}: {tail}."
    return verdict(question, answer, gain, text, depths=ends)


def _fewer_diverge(
    question: str, twins: tuple[pd.DataFrame, ...], shares: list[float], fact: str
) -> Verdict:
    helps = shares[0] > shares[1]
    return Verdict(
        question=question,
        answer=Answer.YES if helps else Answer.REVERSED,
        effect=shares[0] - shares[1],
        interval=None,
        measure=SHARE_DIVERGED,
        margin=None,
        n=min(map(len, twins)),
        text=f"{question} {'Yes' if helps else 'No'}: {fact}.",
        depths=(int(twins[0]["depth"].iloc[0]),),
    )


def first_gap(runs: pd.DataFrame) -> Verdict | None:
    """The smallest depth at which the shortcut's gain is beyond doubt (notes, 8.3).

    None if no depth has a seed with both twins.
    """
    question = "From which depth on is there a gap?"
    cells = [c for c in gap_table(runs[runs[CLEAN].notna()], ["depth"], CLEAN) if c.gap.n]
    if not cells:
        return None
    first = next((cell for cell in cells if cell.gap.excludes_zero), None)
    if first is not None:
        depth = int(str(first.key[0]))
        text = f"{question} From {depth} layers ({change(first.gap)})."
        return verdict(question, gain_answer(first.gap), first.gap, text, depths=(depth,))
    deepest = cells[-1].gap
    text = f"{question} Inconclusive at every depth; {more_seeds(deepest)}."
    if not deepest.has_interval:
        text = f"{question} One seed gives no interval to tell."
    return verdict(question, Answer.CANNOT_TELL, deepest, text)
