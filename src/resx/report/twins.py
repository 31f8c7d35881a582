"""Twins with and without the shortcut: whether it helps, and from which depth on."""

from resx.inference import Answer, Arm, Finding, compare, first_gap
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
from resx.report.verdict import Verdict, verdict
from resx.report.yardstick import Yardstick

Depths = dict[int, Arm]


def shortcut_helps(arms: dict[bool, Depths], yardstick: Yardstick) -> Verdict | None:
    """Does the residual net of this depth train better than its plain twin?

    None if one of the twins is missing.
    """
    if not (arms[False] and arms[True]):
        return None
    ((depth, plain),), ((_, residual),) = arms[False].items(), arms[True].items()
    finding = compare(plain, residual, yardstick.rules)
    needed = fresh_seeds(plain, residual, finding, yardstick.rules)
    words = {Answer.YES: "Yes", Answer.NO: "No, level", Answer.REVERSED: "No, it harms"}
    opening = words.get(finding.answer, CANNOT_TELL)
    twins = _twins(plain, residual, finding, yardstick)
    text = f"{opening}: {twins}{why_not(finding, fresh_set(needed))}."
    return verdict("shortcut-helps", "Does the shortcut help?", finding, text, (depth,), needed)


def _twins(plain: Arm, residual: Arm, finding: Finding, yardstick: Yardstick) -> str:
    """Both facts: what the errors are, and how many runs failed."""
    what = quantity(yardstick.name, finding, yardstick.rules)
    without, with_it = level(plain, finding.measure), level(residual, finding.measure)
    lost = failures(finding, ("plain", "residual"))
    return f"{what} {without} without, {with_it} with it ({evidence(finding)}){lost}"


def gap_begins(arms: dict[bool, Depths], yardstick: Yardstick) -> Verdict | None:
    """The smallest depth from which on the shortcut helps (notes, 8.3). None without twins.

    "On" goes as far as there are twins: depths without are named, as nothing is known of them.
    """
    pairs = {d: (arms[False][d], arms[True][d]) for d in sorted(arms[False].keys() & arms[True])}
    if not pairs:
        return None
    found = first_gap(pairs, yardstick.rules)
    *_, stopped = found.asked
    since = stopped if found.depth is None else found.depth
    alone = [d for d in sorted(arms[False].keys() ^ arms[True]) if d > since]
    if found.depth is None:
        deepest = max(pairs)
        needed = fresh_seeds(*pairs[deepest], found.finding, yardstick.rules)
        words = {Answer.NO: "From none: level", Answer.REVERSED: "From none: it harms"}
        opening = words.get(found.finding.answer, f"{CANNOT_TELL}:")
        twins = _twins(*pairs[deepest], found.finding, yardstick)
        why = why_not(found.finding, fresh_set(needed))
        text, depths = f"{opening} at {deepest} layers, {twins}{why}.", (deepest,)
    else:
        needed, depths = None, (found.depth,)
        helped = [depth for depth, finding in found.asked.items() if finding.answer is Answer.YES]
        at_some = (
            f"At {_listed(helped)}; at {found.depth}"
            if len(helped) > 1
            else f"At {_listed(helped)}"
        )
        where = at_some if alone else f"From {found.depth} layers on"
        text = f"{where}: {_twins(*pairs[found.depth], found.finding, yardstick)}"
        text += "." if stopped == found.depth else _end_of_gap(stopped, found.asked[stopped])
    if alone:
        text += f" Asked at {_listed(list(found.asked))}; without twins: {_listed(alone)}."
    question = "From which depth on does the shortcut help?"
    return verdict("first-gap", question, found.finding, text, depths, needed)


def _listed(depths: list[int]) -> str:
    """`20, 32 and 56 layers`."""
    *others, last = sorted(depths)
    return f"{', '.join(map(str, others))} and {last} layers" if others else f"{last} layers"


def _end_of_gap(depth: int, finding: Finding) -> str:
    words = {Answer.NO: "it is level", Answer.REVERSED: "it harms"}
    return (
        f". At {depth} layers {words.get(finding.answer, 'one cannot tell')} ({evidence(finding)})."
    )
