"""Verdicts on networks of several depths: degradation, its cause, and the gap to their twins."""

from dataclasses import replace

import pandas as pd

from resx.inference import (
    Answer,
    Finding,
    Measure,
    degradation,
    falls_with_depth,
)
from resx.report.causes import cause
from resx.report.labels import network_kind
from resx.report.measures import has_ended
from resx.report.sentences import (
    CANNOT_TELL,
    evidence,
    failures,
    fresh_seeds,
    fresh_set,
    level,
    quantity,
    why_not,
)
from resx.report.twins import Depths, gap_begins, shortcut_helps
from resx.report.verdict import Verdict, nothing_to_say, turned, verdict
from resx.report.yardstick import Yardstick


def verdicts(runs: pd.DataFrame, yardstick: Yardstick) -> list[Verdict]:
    """On degradation, its cause, and the gap, over runs that differ in depth.

    Of one depth there is only the gap. Only finished and diverged runs count.
    """
    ended = runs[has_ended(runs)]
    arms = {
        kind: arms_by_depth(ended[ended["residual"] == kind], yardstick) for kind in (False, True)
    }
    if ended["depth"].nunique() == 1:
        found = [shortcut_helps(arms, yardstick)]
    else:
        kinds = [kind for kind in (False, True) if arms[kind]]
        found = [degrades(arms[kind], kind, yardstick) for kind in kinds]
        found += [falls(arms[True], yardstick)] if arms[True] else []
        found += [cause(ended[ended["residual"] == kind], kind, yardstick) for kind in kinds]
        found += [gap_begins(arms, yardstick)]
    return [each for each in found if each]


def arms_by_depth(runs: pd.DataFrame, yardstick: Yardstick) -> Depths:
    groups = ((int(depth), yardstick.arm(group)) for depth, group in runs.groupby("depth"))
    return {depth: arm for depth, arm in groups if arm.n}


def degrades(arms: Depths, residual: bool, yardstick: Yardstick) -> Verdict:
    """Is the deepest net worse than the best of the shallower ones? (notes, 1.2)"""
    kind = network_kind(residual)
    id, question = f"degradation-{kind}", f"Does the {kind} net degrade?"
    if len(arms) < 2:
        return nothing_to_say(id, question, "it needs runs of two depths", tuple(arms))
    finding = degradation(arms, yardstick.rules)
    assert finding.depths is not None
    deep, shallow = finding.depths
    words = {Answer.YES: ("Yes", "rises"), Answer.NO: ("No, it is level", "goes")}
    words |= {Answer.REVERSED: ("No, it falls", "falls")}
    # A fresh set is asked the same question: each shallower net has its share of alpha.
    shallower = len(arms) - 1
    shared = replace(yardstick.rules, alpha=yardstick.rules.alpha / shallower)
    needed = fresh_seeds(arms[deep], arms[shallow], finding, shared, shallower)
    return _on_depth(id, question, finding, (shallow, deep), arms, words, yardstick, needed)


def falls(arms: Depths, yardstick: Yardstick) -> Verdict | None:
    """Is the deepest residual net better than the shallowest? (notes, 5.2)"""
    if len(arms) < 2:
        return None
    question = "Does the residual net's training error fall with depth?"
    finding = turned(falls_with_depth(arms, yardstick.rules))
    assert finding.depths is not None
    words = {Answer.YES: ("Yes", "falls"), Answer.NO: ("No, it is level", "goes")}
    words |= {Answer.REVERSED: ("No, it rises", "rises")}
    deep, shallow = finding.depths
    needed = fresh_seeds(arms[deep], arms[shallow], finding, yardstick.rules)
    ends = shallow, deep
    id = "falls-with-depth"
    return _on_depth(id, question, finding, ends, arms, words, yardstick, needed)


def _on_depth(
    id: str,
    question: str,
    finding: Finding,
    depths: tuple[int, int],
    arms: Depths,
    words: dict[Answer, tuple[str, str]],
    yardstick: Yardstick,
    needed: int | None,
) -> Verdict:
    """The sentence and the effect go from the shallow to the deep net."""
    opening, verb = words.get(finding.answer, (CANNOT_TELL, "goes"))
    start, end = (level(arms[depth], finding.measure) for depth in depths)
    names = tuple(f"{depth}-layer" for depth in finding.depths or depths)
    text = (
        f"{opening}: {quantity(yardstick.name, finding, yardstick.rules)} {verb} from {start} at"
        f" {depths[0]} to {end} at {depths[1]} layers ({evidence(finding)})"
        f"{failures(finding, (names[0], names[1]))}{why_not(finding, fresh_set(needed))}."
    )
    return verdict(id, question, finding, text, depths, needed)


def alone(runs: pd.DataFrame, yardstick: Yardstick) -> Verdict:
    """Of a network without any other beside it: is it better than chance in every run?"""
    ended = runs[has_ended(runs)]
    groups = list(ended.groupby(["depth", "residual"]))
    arm = yardstick.arm(groups[0][1]) if len(groups) == 1 else None
    if arm is None or not arm.n:
        return nothing_to_say("trains", "Does it train?", "no run has ended")
    (depth, residual), _ = groups[0]
    failed, kind = yardstick.rules.failures(arm), network_kind(residual)
    answer = Answer.CANNOT_TELL if 0 < failed < arm.n else Answer.REVERSED if failed else Answer.YES
    word = {Answer.YES: "Yes", Answer.REVERSED: "No"}.get(answer, "Not always")
    question = f"Does the {kind} net train?"
    text = (
        f"{question} {word}: {yardstick.name} {level(arm, Measure.ERROR)} at {depth} layers;"
        f" {failed} of {arm.n} runs diverged or stayed at chance. There is no second network beside"
        " it."
    )
    n, lost = (arm.n, 0), (failed, 0)
    return Verdict("trains", question, answer, text, n=n, failed=lost, depths=(int(depth),))
