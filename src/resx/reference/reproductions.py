"""Between which errors public reproductions of a network lie, by one stated rule."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import pandas as pd

from resx.reference.published import curve_end

ENOUGH = 4  # sources that tell the last epoch's error: then a best epoch's counts for nothing
OFF_RECIPE = {("REP-NABLA", 110): "the learning rate falls to 0.001 at 32k steps, not to 0.01"}
# Sources that depart in what the bands are meant to allow for: length, arithmetic, warm-up.
ADMITTED = {
    "REP-AKA": "200 epochs, the best one",
    "REP-GCR": "200 epochs (about 78k steps)",
    "REP-FB": "a warm-up of one epoch",
    "REP-WOOYEOL": "mixed precision, biases in convolutions, plain-56 with clipped gradients",
}


class Band(NamedTuple):
    """From `low` to `high` (fractions), over so many sources; the paper's own curve is within.

    `departing` says in what some of the sources depart from the recipe.
    """

    low: float
    high: float
    sources: int
    departing: dict[str, str]


@cache
def band(depth: int, residual: bool) -> Band | None:
    """The CIFAR-10 test errors of a plain net or ResNet of He 2015; None of fewer than two sources.

    The rule. 1. Rows of reproductions.csv on CIFAR-10's test images that state this depth, with
    option A or none stated; none that names option B, nor one of another learning rate
    (`OFF_RECIPE`). Sources that depart in length, arithmetic or warm-up count (`ADMITTED`): they
    set the lower ends of plain-56 and ResNet-32 to 110, and the upper ends of plain-32, plain-44
    and all ResNets but 56. 2. Where a source has a mean over seeds, that and not its seeds. 3. A
    source's best epoch, which was chosen on the test images, counts only where fewer than four
    sources have the last. 4. The paper counts too, by the end of its curve (Fig. 6, mean over the
    last 10k steps). The band goes from the least to the largest of these, whether 45,000 or 50,000
    images were trained on.
    """
    rows = _usable(depth, residual)
    best = rows.metric.str.endswith("_best")
    if rows[~best].table_id.nunique() >= ENOUGH:
        rows = rows[~best]
    if rows.table_id.nunique() < 2:
        return None
    paper = curve_end("Fig. 6", depth, residual, "test")
    figures = [*(rows.value / 100), *([] if paper is None else [paper])]
    departing = {key: ADMITTED[key] for key in rows.table_id.unique() if key in ADMITTED}
    return Band(min(figures), max(figures), rows.table_id.nunique(), departing)


def _usable(depth: int, residual: bool) -> pd.DataFrame:
    rows = _reproductions()
    rows = rows[(rows.dataset == "CIFAR-10") & (rows.split == "test") & (rows.depth == depth)]
    rows = rows[rows.family == ("ResNet" if residual else "plain")]
    rows = rows[rows.shortcut.isin(["A", "none", ""]) & ~rows.protocol.str.contains("option B")]
    rows = rows[~rows.table_id.isin([table for table, at in OFF_RECIPE if at == depth])]
    is_mean = rows.metric.str.endswith("_mean")
    has_mean = rows.table_id.isin(rows[is_mean].table_id)
    return rows[is_mean | ~has_mean]


@cache
def _reproductions() -> pd.DataFrame:
    table = pd.read_csv(str(files("resx.reference") / "reproductions.csv"))
    return table.fillna({"shortcut": "", "protocol": ""})
