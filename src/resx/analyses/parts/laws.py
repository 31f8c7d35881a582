"""Which law a quantity follows with depth: growth from layer to layer, exponential or power."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from resx.inference.arms import Values

SMALLEST = 1e-300  # instead of zero, which has no logarithm


class Law(NamedTuple):
    """y = a c^L (exponential) or y = a L^-b (power), by least squares on logarithms.

    `rate` is c or b, `error` the root mean square of what is left of the logarithms.
    """

    name: str
    rate: float
    error: float

    def __str__(self) -> str:
        formula = f"{self.rate:.3f}^L" if self.name == "exponential" else f"L^-{self.rate:.2f}"
        return f"{self.name} ({formula})"


def fit_laws(depths: Values, values: Values) -> list[Law]:
    """The law that fits better first; none of fewer than three depths, where both may fit."""
    if len(depths) < 3:
        return []
    logs, laws = np.log(values), []
    for name, x in (("exponential", depths), ("power", np.log(depths))):
        slope, constant = np.polyfit(x, logs, 1)
        error = float(np.sqrt(np.mean((logs - slope * x - constant) ** 2)))
        rate = float(np.exp(slope)) if name == "exponential" else float(-slope)
        laws.append(Law(name, rate, error))
    return sorted(laws, key=lambda law: law.error)


def growth(layers: ArrayLike, squares: ArrayLike) -> float:
    """The factor per layer towards the input: exp(-slope) of log(squares) against the layer.

    Raises `ValueError` for a single layer.
    """
    places = np.asarray(layers, dtype=float)
    if len(places) < 2:
        raise ValueError("one block alone shows no growth from block to block")
    logs = np.log(np.maximum(np.asarray(squares, dtype=float), SMALLEST))
    return float(np.exp(-np.polyfit(places, logs, 1)[0]))
