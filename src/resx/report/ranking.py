"""Which of several settings trains best; those that cannot be told from the best stay together."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from resx.inference import Answer, Arm, Finding, Measure, Ranking, against_control, rank
from resx.report.labels import as_key, short
from resx.report.measures import has_ended
from resx.report.sentences import evidence, level, seeds
from resx.report.verdict import Verdict
from resx.report.yardstick import Yardstick

Key = tuple[Any, ...]  # values of the settings


def ranking(
    runs: pd.DataFrame, settings: list[str], yardstick: Yardstick, control: dict[str, Any] | None
) -> Verdict | None:
    """By log loss, of the residual nets of the greatest depth, or all if each has its own depth.

    Against the study's `control` if it names one: settings with values that tell one row. None of
    fewer than two settings.
    """
    residual = runs[has_ended(runs) & runs["residual"]]
    nets = _of_comparable_depth(residual, settings)
    groups = nets.groupby(settings, dropna=False)
    judged = {as_key(key): arm for key, group in groups if (arm := yardstick.arm(group)).n}
    if len(judged) < 2:
        return None
    arms = {_written(settings, key): arm for key, arm in judged.items()}
    depths = tuple(int(depth) for depth in sorted(nets["depth"].unique()))
    where = f" at {depths[0]} layers" if len(depths) == 1 else ""
    at_floor = all(yardstick.rules.at_floor(arm) for arm in arms.values())
    by = yardstick.name.replace("error", "loss") + " (all errors are at the floor)" * at_floor
    everything = {as_key(key) for key, _ in residual.groupby(settings, dropna=False)}
    aside = sorted(_written(settings, key) for key in everything - judged.keys())
    left_out = f" Left out, without a {yardstick.name}{where}: {', '.join(aside)}." * bool(aside)
    if control is not None and (key := _row_of(control, settings, list(judged))) is not None:
        beside = _beside(arms, _written(settings, key), depths, f"{where}, by {by}", yardstick)
        return replace(beside, text=beside.text + left_out)
    found = rank(arms, yardstick.rules)
    text = f"Which trains best{where}? {_ranked(found, arms, by, yardstick)}{left_out}"
    if control is not None:
        name = _written(list(control), tuple(control.values()))
        text += f" The study's control ({name}) has no runs to compare{where}."
    return Verdict(
        id="ranking",
        question="Which setting trains best?",
        answer=found.answer,
        text=text,
        measure=str(Measure.LOSS),
        reason=str(found.reason),
        n=_least_and_most(arms),
        depths=depths,
    )


def _of_comparable_depth(nets: pd.DataFrame, settings: list[str]) -> pd.DataFrame:
    """The deepest ones, as all settings have them; or all, where a setting has only one depth."""
    if nets.groupby(settings, dropna=False)["depth"].nunique().max() > 1:
        return nets[nets["depth"] == nets["depth"].max()]
    return nets


def _least_and_most(arms: Mapping[str, Arm]) -> tuple[int, int]:
    """The seeds of a setting, which may have unequally many."""
    return min(arm.n for arm in arms.values()), max(arm.n for arm in arms.values())


def _ranked(found: Ranking, arms: Mapping[str, Arm], by: str, yardstick: Yardstick) -> str:
    failed = "".join(
        f"; {failed} of {n} runs with {name} failed" for name, (failed, n) in found.failed.items()
    )
    aside = [name for name in arms if name not in {*found.order, *found.failed}]
    single = [name for name in aside if arms[name].n == 1 and arms[name].has_losses]
    lossless = [name for name in aside if name not in single]
    for why, names in (("without a finite loss in every run", lossless), ("of one seed", single)):
        failed += f"; {why}: {', '.join(names)}" * bool(names)
    if not found.order:
        why = "no setting has losses to compare" if aside else "in every setting some run failed"
        return f"Cannot tell: {why}{failed}."
    best, *others = (f"{name} ({found.typical[name]:.3g})" for name in found.order)
    count = seeds(_least_and_most(arms))
    if not others:
        return f"Cannot tell: only {best} has losses and no failed run ({count}){failed}."
    if found.answer is not Answer.YES:
        listed = ", ".join([best, *others])
        return f"Cannot tell them apart by {by} ({count}): {listed}{failed}."
    level_with = [n for n in found.order[1:] if n in found.best]
    worse = [
        f"{name} ({found.typical[name] / found.typical[found.order[0]]:.3g} times, p ="
        f" {found.p[name]:.2g})"
        for name in found.order
        if name not in found.best
    ]
    alike = f", not to be told from {' and '.join(level_with)}" if level_with else ""
    return f"By {by} {best}{alike}; worse: {', '.join(worse)} ({count}){failed}."


def _beside(
    arms: Mapping[str, Arm], control: str, depths: tuple[int, ...], tail: str, yardstick: Yardstick
) -> Verdict:
    findings = against_control(arms, control, yardstick.rules)
    words = {Answer.YES: "worse", Answer.REVERSED: "better", Answer.NO: "level"}
    words |= {Answer.CANNOT_TELL: "cannot tell"}
    parts = []
    for answer, word in words.items():
        named = [_beside_one(k, arms[k], f) for k, f in findings.items() if f.answer is answer]
        parts += [f"{word}: {', '.join(named)}"] if named else []
    n = _least_and_most(arms)
    question = f"Does anything train better than {control}?"
    return Verdict(
        id="ranking",
        question=question,
        answer=_better_than_control({finding.answer for finding in findings.values()}),
        text=f"Beside {control} ({level(arms[control], Measure.LOSS)}{tail}; {seeds(n)}):"
        f" {'; '.join(parts)}.",
        measure=str(Measure.LOSS),
        margin=yardstick.rules.ratio,
        n=n,
        depths=depths,
    )


def _better_than_control(worse: set[Answer]) -> Answer:
    """Yes if something is better, and else nothing as long as one cannot be told.

    Reversed if all that differs is worse, no if all are level.
    """
    if Answer.REVERSED in worse:
        return Answer.YES
    if Answer.CANNOT_TELL in worse:
        return Answer.CANNOT_TELL
    return Answer.REVERSED if Answer.YES in worse else Answer.NO


def _beside_one(name: str, arm: Arm, finding: Finding) -> str:
    if finding.interval is None or finding.effect is None:
        lost = finding.failed[0]
        what = f"{lost} of {arm.n} runs failed" if lost else evidence(finding)
        return f"{name} ({what})"
    low, high = finding.interval
    return f"{name} ({finding.effect:.3g} times, {low:.3g} to {high:.3g})"


def _row_of(control: dict[str, Any], settings: list[str], keys: list[Key]) -> Key | None:
    """The row that the study names; values are compared as they are written."""
    for key in keys:
        row = {name: str(value) for name, value in zip(settings, key)}
        if all(row.get(name) == str(value) for name, value in control.items()):
            return key
    return None


def _written(settings: list[str], key: Key) -> str:
    """`shortcut C, width 8`: the values of a key that are not left to the network."""
    words = [f"{short(s).replace('_', ' ')} {v}" for s, v in zip(settings, key) if v != "default"]
    return ", ".join(words) or "default"
