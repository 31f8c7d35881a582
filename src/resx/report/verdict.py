"""A verdict: the answer to one question about a set of runs, as data, with its sentence."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from resx.inference import Answer, Finding, Measure


@dataclass(frozen=True)
class Verdict:
    """`id` names the question for programs, `text` is the sentence; the rest is the finding's.

    `effect` and its 95 % `interval` are in the unit of `measure`: a difference of fractions
    ("error", "test minus train"), or a ratio ("loss", "steps"), level within `margin`. `n` and
    `failed` are of the two networks that are compared (`Finding`); without an interval `p` decides.
    What does not exist is None. `fresh_seeds` would answer what cannot be told, with 80 % power.
    `scope` names the runs where there are several groups of them, such as "shortcut A".
    """

    id: str
    question: str
    answer: Answer
    text: str
    effect: float | None = None
    interval: tuple[float, float] | None = None
    measure: str = "error"
    margin: float | None = None
    reason: str = ""
    p: float | None = None
    n: tuple[int, int] = (0, 0)
    failed: tuple[int, int] = (0, 0)
    fresh_seeds: int | None = None
    depths: tuple[int, ...] = ()
    scope: str = ""

    def within(self, scope: str) -> "Verdict":
        """The same of one group among several."""
        return replace(self, scope=scope, text=f"With {scope}: {self.text}")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"answer": str(self.answer)}


def verdict(
    id: str,
    question: str,
    finding: Finding,
    text: str,
    depths: tuple[int, ...] = (),
    fresh_seeds: int | None = None,
) -> Verdict:
    """Of a finding; `text` goes on after the question."""
    return Verdict(
        id=id,
        question=question,
        answer=finding.answer,
        text=f"{question} {text}",
        effect=finding.effect,
        interval=finding.interval,
        measure=str(finding.measure),
        margin=finding.margin,
        reason=str(finding.reason),
        p=finding.p,
        n=finding.n,
        failed=finding.failed,
        fresh_seeds=fresh_seeds,
        depths=depths or finding.depths or (),
    )


def turned(finding: Finding) -> Finding:
    """The second network beside the first: the same answer, with the effect the other way round."""
    ratio = finding.measure in (Measure.LOSS, Measure.STEPS)

    def turn(value: float) -> float:
        return 1 / value if ratio else -value

    return replace(
        finding,
        effect=None if finding.effect is None else turn(finding.effect),
        interval=finding.interval and (turn(finding.interval[1]), turn(finding.interval[0])),
        n=finding.n[::-1],
        failed=finding.failed[::-1],
        depths=finding.depths and finding.depths[::-1],
    )


def nothing_to_say(id: str, question: str, reason: str, depths: tuple[int, ...] = ()) -> Verdict:
    """No runs to compare."""
    text = f"{question} Nothing to say: {reason}."
    return Verdict(id, question, Answer.CANNOT_TELL, text, reason="no runs", depths=depths)
