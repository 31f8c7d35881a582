"""Is F(x) = 0 easier to learn than F(x) = x? (notes, 2.2; He 2015, arXiv:1512.03385, Sec. 3.1)"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import pandas as pd

from resx.analyses.analysis import ClaimVerdict, Finding
from resx.analyses.identity_figure import identity_figure
from resx.analyses.parts.additions import refuse_unless_added
from resx.analyses.parts.facts import at_last_step, refuse_mixed
from resx.analyses.parts.identity_lesson import EVERY, block_sizes, lessons_of
from resx.analyses.parts.seeds import RULES, ratio
from resx.analyses.parts.words import name_of
from resx.experiment import Experiment
from resx.inference import Answer, median_steps, slower
from resx.inference import Finding as Inference
from resx.inference.intervals import SMALLEST_LOSS
from resx.plotting import LOOKS, Look

NORM = {True: "as it is", False: "without norm"}
QUESTIONS = 4  # slower, worse, with and without norm: one yes is enough
SHARED = replace(RULES, alpha=RULES.alpha / QUESTIONS)  # Bonferroni


def identity(
    experiments: Sequence[Experiment],
    images: int = 256,
    steps: int = 1000,
    lr: float = 0.01,
    threshold: float = 0.01,
) -> Finding:
    """A fresh block of each kind learns to give back its input; then, of the given weights, |F|.

    The block is the first that keeps its input's shape, with the first weights of the network's
    seed, as it is and with its normalisation taken out; its inputs are its own features of
    `images` training images. Adam (Kingma and Ba 2015) lowers |block(x) - x|^2 / |x|^2 for `steps`
    steps; the claim is judged by the steps until that is `threshold`, and by what it is at the end.
    Of every such block of the experiments' own weights, |F(x)| / |x| and |block(x) - x| / |x| say
    how far it is from doing nothing. Raises `ValueError` without a block that adds F(x) to it.
    """
    for name, value in (("images", images), ("steps", steps)):
        if value < 1:
            raise ValueError(f"{name}={value}: must be at least 1")
    refuse_mixed(experiments)
    for experiment in experiments:
        refuse_unless_added(experiment)
    sizes = [row for e in experiments for row in block_sizes(e, images)]
    pupils = _pupils(experiments)
    lessons = [row for e in pupils.values() for row in lessons_of(e, images, steps, lr, threshold)]
    rows = pd.DataFrame(lessons + sizes)
    found = {norm: _compared(rows, norm) for norm in NORM}
    chosen, of_what = _decisive(found)
    return Finding(
        rows,
        partial(identity_figure, rows, threshold, NORM),
        _summary(rows, steps),
        _text(rows, found, steps, threshold),
        claim="identity",
        verdict=_verdict(found),
        effect=chosen.effect if chosen else None,
        interval=chosen.interval if chosen else None,
        measure=f"times the {of_what}, plain over residual block",
    )


def _pupils(experiments: Sequence[Experiment]) -> dict[tuple[bool, int], Experiment]:
    """One network a kind and seed, of the greatest depth that both kinds have.

    Depth does not change the first block, so that twins of all depths share a lesson; but it may
    change the layout.
    """
    depths = [
        {e.config.depth for e in experiments if e.config.residual == r} for r in (True, False)
    ]
    common = depths[0] & depths[1] or depths[0] | depths[1]
    chosen = (e for e in experiments if e.config.depth == max(common))
    return {(e.config.residual, e.config.seed): e for e in chosen}


class Compared(NamedTuple):
    """Does the plain block need more steps, does it end with a greater error?"""

    steps: Inference
    error: Inference


def _compared(rows: pd.DataFrame, norm: bool) -> Compared | None:
    """None without both kinds."""
    last = _last(rows, norm)
    plain, residual = last[~last["residual"].astype(bool)], last[last["residual"].astype(bool)]
    if plain.empty or residual.empty:
        return None
    reached = plain["reached"].tolist(), residual["reached"].tolist()
    last_step = float(last["lesson_step"].max())
    steps = slower(*reached, SHARED, EVERY, last_step)
    # Whether they differ is asked at the share of alpha; the interval that is shown is of 95 %.
    steps = replace(steps, interval=slower(*reached, RULES, EVERY, last_step).interval)
    errors = (net["error"].clip(lower=SMALLEST_LOSS).tolist() for net in (plain, residual))
    return Compared(steps, ratio(questions=QUESTIONS)(*errors))


def _decisive(found: dict[bool, Compared | None]) -> tuple[Inference | None, str]:
    """What the verdict rests on, and of what it is: a yes, if there is one, else the first."""
    questions = [
        (finding, f"{what} in learning the identity, {NORM[norm]}")
        for norm, each in found.items()
        if each
        for finding, what in ((each.error, "final error"), (each.steps, "steps"))
    ]
    yes = [question for question in questions if question[0].answer is Answer.YES]
    if len(yes) == len(questions):  # all confirm: the blocks as they are
        yes = yes[:1]
    return next(iter(yes or questions), (None, "final error in learning the identity"))


def _last(rows: pd.DataFrame, norm: bool) -> pd.DataFrame:
    """The last record of each lesson, with or without normalisation."""
    lessons = rows[(rows["kind"] == "lesson") & (rows["with_norm"] == norm)]
    return lessons[lessons["lesson_step"] == lessons["lesson_step"].max()]


def _verdict(found: dict[bool, Compared | None]) -> ClaimVerdict:
    """Confirmed if the plain block is slower and ends worse, with its normalisation and without.

    Not confirmed if by any of these the residual block is.
    """
    answers = {a.answer for each in found.values() if each for a in (each.steps, each.error)}
    if answers == {Answer.YES}:
        return ClaimVerdict.CONFIRMED
    if Answer.REVERSED in answers:
        return ClaimVerdict.NOT_CONFIRMED
    if Answer.YES in answers:
        return ClaimVerdict.LIMITED
    if not answers or Answer.CANNOT_TELL in answers:
        return ClaimVerdict.CANNOT_TELL
    return ClaimVerdict.NOT_CONFIRMED


def _summary(rows: pd.DataFrame, steps: int) -> dict[str, Any]:
    summary: dict[str, Any] = {}
    for norm, name in NORM.items():
        for look in LOOKS:
            last = _last(rows, norm)
            last = last[last["residual"] == look.residual]
            if len(last):
                median = median_steps(last["reached"].tolist(), steps).median
                numbers = {"steps": median, "error": last["error"].median()}
                summary[f"{look.name} block {name}"] = numbers
    sizes = rows[rows["kind"] == "size"]
    for (residual, depth, step), group in sizes.groupby(["residual", "depth", "step"]):
        numbers = {"|F(x)|/|x|": group["size"].mean(), "|block(x)-x|/|x|": group["distance"].mean()}
        summary[f"{name_of(residual, depth)} at step {step}"] = numbers
    return summary


def _text(
    rows: pd.DataFrame, found: dict[bool, Compared | None], steps: int, threshold: float
) -> str:
    parts = []
    for norm, name in NORM.items():
        told = [_told(_last(rows, norm), look, steps) for look in LOOKS]
        answer = found[norm]
        slow = ""
        if answer:
            slow = f" (plain slower? {answer.steps.answer}; worse? {answer.error.answer})"
        parts.append(f"{name} {'; '.join(filter(None, told))}{slow}")
    sizes = at_last_step(rows[rows["kind"] == "size"])
    own = [
        f"{name_of(residual, depth)} {group['size'].mean():.2f} and {group['distance'].mean():.2f}"
        for (residual, depth), group in sizes.groupby(["residual", "depth"])
    ]
    return (
        "Claim: F(x) = 0 is easier to learn than F(x) = x. Measured: the steps in which one block"
        " learns to give back its input, to a relative squared error of"
        f" {threshold:.0%}, and its error after {steps} steps (medians): {'. '.join(parts)}. Of the"
        " networks' own weights, the means of |F(x)| / |x| and of |block(x) - x| / |x| over blocks:"
        f" {', '.join(own)}. Limit: one block learns alone, with one optimiser; what the notes"
        " prove is trivial, as the gradient of |F|^2 is zero wherever F is."
    )


def _told(last: pd.DataFrame, look: Look, steps: int) -> str:
    last = last[last["residual"] == look.residual]
    if last.empty:
        return ""
    median = median_steps(last["reached"].tolist(), steps)
    return f"{look.name} {median}, error {last['error'].median():.2g}"
