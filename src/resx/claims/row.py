"""One measurement of a claim with its outcome, and how it reads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from resx.analyses.analysis import ClaimVerdict
from resx.analyses.result import FIGURE, ROWS, Result
from resx.reference.claims import Claim, Measurement

ALONG = "snapshots=true"
NOT_MEASURED, FAILED = "not measured", "failed"
# A difference of fractions, shown in points; a ratio. Reports name columns, `inference` measures.
DIFFERENCES = {
    "error": "training error",
    "train_clean_error": "training error",
    "test_error": "test error",
    "test minus train": "test minus training error",
    "n_diverged": "diverged runs",
}
RATIOS = {"loss": "training loss", "train_clean_loss": "training loss", "steps": "steps"}


@dataclass(frozen=True)
class Row:
    """`figure` is an SVG with a PNG beside it; `rows` are the numbers behind it."""

    claim: Claim
    measurement: Measurement
    verdict: str
    text: str = ""
    effect: float | None = None
    interval: tuple[float, float] | None = None
    measure: str = ""
    figure: Path | None = None
    rows: Path | None = None

    @property
    def command(self) -> str:
        """What a person types for it: of runs that were trained, what finds the same ones again."""
        m = self.measurement
        return f"resx claims only=[{self.claim.id}]" if m.runs_of or m.first else m.command

    @property
    def source(self) -> str:
        """What measured it, in a few words."""
        m = self.measurement
        if m.analysis:
            return f"{m.analysis}, along training" if ALONG in m.options else m.analysis
        if m.question:
            return f"study {m.study}: {m.question}"
        (first, second), among = sides_of(m)
        return f"study {m.study}: {first} against {second}{among}"

    @property
    def evidence(self) -> str:
        """Effect and 95 % interval in the unit in which people read them; empty without one."""
        if self.effect is None:
            return ""
        if self.measure == "n_diverged":
            return f"{self.effect:+.0f} diverged runs"
        if self.measure in DIFFERENCES:
            between = _between(self.interval, "{:+.2f}", 100)
            return f"{100 * self.effect:+.2f} points{between} of {DIFFERENCES[self.measure]}"
        between = _between(self.interval, "{:.3g}")
        if self.measure in RATIOS:
            return f"{self.effect:.3g} times{between} the {RATIOS[self.measure]}"
        return f"{self.effect:.3g}{between} {self.measure}".rstrip()


def _between(interval: tuple[float, float] | None, form: str, factor: float = 1.0) -> str:
    if interval is None:
        return ""
    low, high = (form.format(factor * end) for end in interval)
    return f" [{low}, {high}]"


def sides_of(measurement: Measurement) -> tuple[tuple[str, str], str]:
    """In what two networks of a study differ, and ` (..)`, what they share."""
    first, second = measurement.first, measurement.second
    shared = {k: v for k, v in first.items() if second.get(k) == v}
    among = f" ({_kind(shared, {})})" if shared else ""
    return (_kind(first, second), _kind(second, first)), among


def _kind(settings: dict[str, object], other: dict[str, object]) -> str:
    """`order full`, `plain`: the settings in which one network differs from the other."""
    words = []
    for name, value in settings.items():
        if other.get(name) == value:
            continue
        if name == "residual":
            words.append("residual" if value else "plain")
        else:
            words.append(f"{name.rsplit('.', 1)[-1].replace('_', ' ')} {str(value).lower()}")
    return ", ".join(words)


def stored_span(interval: Sequence[float] | None) -> tuple[float, float] | None:
    """An interval as JSON has it: a list."""
    return None if interval is None else (interval[0], interval[1])


def of_result(claim: Claim, measurement: Measurement, result: Result, place: Path) -> Row:
    """What an analysis answered; without a verdict it has measured and decided nothing."""
    return Row(
        claim,
        measurement,
        result.verdict or str(ClaimVerdict.CANNOT_TELL),
        " ".join([result.text, *(f"Note: {note} among the networks." for note in result.notes)]),
        result.effect,
        stored_span(result.interval),
        result.measure,
        place / f"{FIGURE}.svg",
        place / ROWS,
    )


def undecided(claim: Claim, rows: Iterable[Row]) -> str:
    """What would decide a claim, unless all that was measured confirms it."""
    verdicts = {row.verdict for row in rows if row.claim.id == claim.id}
    return "" if verdicts <= {str(ClaimVerdict.CONFIRMED)} else claim.decides


def counted(rows: Iterable[Row]) -> str:
    """`4 confirmed, 2 not measured`."""
    verdicts = [row.verdict for row in rows]
    return ", ".join(f"{verdicts.count(v)} {v}" for v in dict.fromkeys(verdicts))
