"""The claims of the notes, and what measures each of them."""

from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml


class Measurement(NamedTuple):
    """One way to test a claim.

    Either an `analysis` (with its `options`) of the `networks` that these settings describe, or of
    the runs that they describe of the study `runs_of`; or the runs of a `study` (those with
    `settings`, if it has more): its verdict on a `question`, or a comparison of two kinds of its
    networks, "is the training error of the first greater than that of the second?". `answers` say
    what each answer means for the claim; an analysis says so itself. `minutes` are those that the
    analysis takes on two cores, without the training of its runs.
    """

    analysis: str = ""
    options: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    runs_of: str = ""
    minutes: float = 1.0
    study: str = ""
    settings: tuple[str, ...] = ()
    question: str = ""
    first: dict[str, Any] = {}  # noqa: RUF012 - never changed
    second: dict[str, Any] = {}  # noqa: RUF012
    answers: dict[str, str] = {}  # noqa: RUF012
    figure: str = ""

    @property
    def command(self) -> str:
        """What a person types for its study, or for an analysis of fresh networks."""
        if self.study:
            return " ".join(["resx study", self.study, *self.settings])
        return " ".join(["resx analyze", self.analysis, *self.networks, *self.options])


class Claim(NamedTuple):
    """`notes` are sections of the notes, `chinese` their own words, empty where they have none.

    `decides` says what would settle it where a figure contradicts the notes or a paper.
    """

    id: str
    notes: str
    chinese: str
    english: str
    caveats: str
    decides: str
    measurements: tuple[Measurement, ...]


@cache
def all_claims() -> tuple[Claim, ...]:
    """In the notes' order; the text is claims.yaml."""
    rows = yaml.safe_load(files("resx.reference").joinpath("claims.yaml").read_text("utf-8"))
    return tuple(
        Claim(
            **{name: row.get(name, "") for name in Claim._fields[:-1]},
            measurements=tuple(Measurement(**_frozen(m)) for m in row["measurements"]),
        )
        for row in rows
    )


@cache
def in_chinese() -> dict[str, dict[str, str]]:
    """By id of a claim: `plain` words, `caveats`, and what `decides` it where that is known."""
    text = files("resx.reference").joinpath("claims.zh.yaml").read_text("utf-8")
    found: dict[str, dict[str, str]] = yaml.safe_load(text)
    return found


def claim(name: str) -> Claim | None:
    return next((each for each in all_claims() if each.id == name), None)


def _frozen(measurement: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in measurement.items()}
