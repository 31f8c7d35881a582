"""What an analysis is: a function from networks on their images to rows, a figure, a verdict."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, Protocol, TypeVar

import pandas as pd
from matplotlib.figure import Figure

from resx.experiment import Experiment

OF_RECORDS = "of_records"
Of = TypeVar("Of", bound=Callable[..., "Finding"])


class ClaimVerdict(StrEnum):
    """What a measurement says of a claim of the notes."""

    CONFIRMED = "confirmed"
    LIMITED = "confirmed with a limit"
    NOT_CONFIRMED = "not confirmed"
    FALSE = "false as written"
    CANNOT_TELL = "cannot tell"


class Finding(NamedTuple):
    """What an analysis found.

    `rows` are its numbers, `figure` draws them (it is called within the style of all figures),
    `summary` holds those that matter, `text` is one paragraph: what was measured, and what it says.
    `claim` is the id of the notes' claim that it answers, with the `verdict`; `effect` and its 95 %
    `interval` are what that rests on, in the unit that `measure` names.
    """

    rows: pd.DataFrame
    figure: Callable[[], Figure]
    summary: dict[str, Any]
    text: str
    claim: str = ""
    verdict: ClaimVerdict | None = None
    effect: float | None = None
    interval: tuple[float, float] | None = None
    measure: str = ""


def of_records(analysis: Of) -> Of:
    """Marks an analysis that reads what runs have recorded: of weights it needs none."""
    setattr(analysis, OF_RECORDS, True)
    return analysis


class Analysis(Protocol):
    """What `analysis._target_` names; its yaml gives further options by name.

    It leaves the networks as it found them: weights, buffers, mode, and torch's random state. It
    raises `ValueError` for networks or options that it cannot take.
    """

    def __call__(self, experiments: Sequence[Experiment]) -> Finding: ...
