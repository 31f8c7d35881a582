"""Does a residual connection keep all information? (Cover and Thomas 2006, Sec. 2.8)"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import entropy

from resx.analyses.analysis import ClaimVerdict, Finding
from resx.experiment import Experiment
from resx.plotting import RESIDUAL

# F of Y = X + F(X). A linear branch can be any of the first three.
FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "F(x) = 0": lambda x: 0 * x,
    "F(x) = x": lambda x: x,
    "F(x) = -x": lambda x: -x,
    "F(x) = |x|": np.abs,
    "F(x) = relu(-x)": lambda x: np.maximum(-x, 0),
}


MOST = 100_000  # values of X: as many as take seconds and some megabytes


def information(experiments: Sequence[Experiment], values: int = 5) -> Finding:
    """I(X; Y) of Y = X + F(X) in bits, for X uniform over `values` whole numbers around 0.

    The notes hold that I(X; Y) >= H(X). As Y is a function of X, I(X; Y) = H(Y), which is never
    above H(X), and 0 for F(x) = -x. It needs no network: those
    that were named are not looked at. Raises `ValueError` for less than two values, or too many.
    """
    if not 2 <= values <= MOST:
        raise ValueError(f"values={values}: must be at least 2 and at most {MOST}")
    x = np.arange(values) - values // 2
    rows = pd.DataFrame(
        {
            "function": name,
            "H(X)": mutual_information(x, x),
            "H(Y)": mutual_information(x + f(x), x + f(x)),
            "I(X;Y)": mutual_information(x, x + f(x)),
        }
        for name, f in FUNCTIONS.items()
    )
    known = dict(zip(rows["function"], rows["I(X;Y)"]))
    source, worst = float(rows["H(X)"].iloc[0]), known["F(x) = -x"]
    text = (
        "Claim: a residual connection keeps all information, I(X;Y) >= H(X). Computed, not"
        f" measured: X is uniform over {values} values, H(X) = {source:.3f} bits, and Y = X + F(X)."
        f" With F(x) = -x, Y is 0 and I(X;Y) = {worst:.3f}: the inequality I(X;Y) >= H(X) is false."
        " The opposite one, I(X;Y) <= H(X), holds always. Limit: this is a counter-example; a"
        " residual connection does keep all information where x + F(x) is one-to-one, as a plain"
        " layer does where F is."
    )
    return Finding(
        rows,
        partial(_figure, rows, source),
        {"H(X)": source, "I(X;Y)": known},
        text,
        claim="information",
        verdict=ClaimVerdict.FALSE,
        effect=worst - source,
        interval=(worst - source, worst - source),  # exact
        measure="bits, I(X;Y) - H(X) for F(x) = -x",
    )


def mutual_information(x: np.ndarray, y: np.ndarray) -> float:
    """I(X; Y) = H(X) + H(Y) - H(X, Y) in bits, of pairs that are equally frequent."""
    marginals = [np.unique(values, return_counts=True)[1] for values in (x, y)]
    joint = np.unique(np.stack([x, y]), axis=1, return_counts=True)[1]
    first, second, both = (float(entropy(counts, base=2)) for counts in (*marginals, joint))
    return first + second - both + 0.0  # no negative zero


def _figure(rows: pd.DataFrame, source: float) -> Figure:
    figure = Figure(figsize=(6.4, 3.2))
    axis = figure.subplots()
    bars = axis.barh(rows["function"], rows["I(X;Y)"], color=RESIDUAL.colour, height=0.6)
    axis.bar_label(bars, fmt="%.2f", padding=3)
    axis.axvline(source, color="black", linestyle="--", linewidth=1, label="H(X)")
    axis.invert_yaxis()
    axis.set(xlabel="I(X; Y) in bits, Y = X + F(X)", xlim=(0, 1.15 * source))
    axis.legend(loc="lower right")
    return figure
