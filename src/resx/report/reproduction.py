"""How near runs at a paper's full protocol come to the paper and to its public reproductions."""

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from resx.reference.papers import paper_tables
from resx.reference.reproductions import band
from resx.report.departures import Comparison, settings_of
from resx.report.literature import quote
from resx.report.measures import TEST_ERROR
from resx.statistics import mean_of
from resx.store.summary import Status

CIFAR, TABLE = "he2015_cifar", "HE15-T6"  # the one protocol that others repeated often enough


@dataclass(frozen=True)
class Reproduction:
    """A network's test error (fractions) beside the band of public reproductions.

    `answer` is inside, below or above, by figures rounded to a tenth of a point as the sentence
    prints them; `std` is None of one run; `paper` as the paper prints it, in percent. `departing`
    says in what sources of the band depart from the recipe.
    """

    network: str
    mean: float
    std: float | None
    n: int
    diverged: int
    low: float
    high: float
    paper: str
    answer: str
    departing: dict[str, str]

    @property
    def text(self) -> str:
        """`plain-56 13.1 ± 0.3 (5): inside the band of public reproductions, 11.9 to 13.3; ...`"""
        spread = "" if self.std is None else f" ± {100 * self.std:.1f}"
        diverged = f", {self.diverged} diverged" if self.diverged else ""
        return (
            f"{self.network} {100 * self.mean:.1f}{spread} ({self.n}{diverged}): {self.answer} the"
            f" band of public reproductions, {100 * self.low:.1f} to {100 * self.high:.1f};"
            f" paper {self.paper}."
        )

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"text": self.text}


def reproductions(runs: pd.DataFrame, compared: dict[str, Comparison]) -> list[Reproduction]:
    """One for each network of He 2015 on CIFAR-10 whose runs keep to the paper's protocol."""
    faithful = [d for d in runs.index if compared[d].is_faithful]
    protocols = (compared[d].protocol for d in faithful)
    kept = [d for d, p in zip(faithful, protocols) if p is not None and p.name == CIFAR]
    found = []
    for (residual, depth), group in runs.loc[kept].groupby(["residual", "depth"]):
        if reproduction := _judged(group, int(depth), bool(residual)):
            found.append(reproduction)
    return found


def _judged(group: pd.DataFrame, depth: int, residual: bool) -> Reproduction | None:
    limits = band(depth, residual)
    errors = mean_of(group[group["status"] == Status.FINISHED][TEST_ERROR.column].to_list())
    if limits is None or errors.n == 0:
        return None
    mean, low, high = (round(100 * x, 1) for x in (errors.mean, limits.low, limits.high))
    return Reproduction(
        network=f"{'ResNet' if residual else 'plain'}-{depth}",
        mean=errors.mean,
        std=errors.std if errors.n > 1 else None,
        n=errors.n,
        diverged=int((group["status"] == Status.DIVERGED).sum()),
        low=limits.low,
        high=limits.high,
        paper=quote(paper_tables()[TABLE].figure("test", settings_of(group.iloc[0]))),
        answer="below" if mean < low else "above" if mean > high else "inside",
        departing=limits.departing,
    )
