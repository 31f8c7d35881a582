"""What an analysis is: a function from networks on their images to rows, a figure, a paragraph."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import pandas as pd
from matplotlib.figure import Figure

from resx.experiment import Experiment


class Finding(NamedTuple):
    """What an analysis found.

    `rows` are its numbers, `figure` draws them (it is called within the style of all figures),
    `summary` holds those that matter, `text` is one paragraph: the claim, what was measured.
    """

    rows: pd.DataFrame
    figure: Callable[[], Figure]
    summary: dict[str, Any]
    text: str


class Analysis(Protocol):
    """What `analysis._target_` names; its yaml gives further options by name.

    It leaves the networks as it found them: weights, buffers, mode, and torch's random state. It
    raises `ValueError` for networks or options that it cannot take.
    """

    def __call__(self, experiments: Sequence[Experiment]) -> Finding: ...
