"""Published errors to hold ours against: figures of tables and digitised curves, with sources."""

import math
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:  # half a second, for processes that read no figure
    import pandas as pd

# What counts as the figure of a split, the best first. Ours are means over seeds, so a paper's mean
# stands beside them where it has one. The last point of a digitised training curve is noisy, by
# half a point in Fig. 6, so its mean over the last 10k steps (ImageNet: 90k) is taken.
METRICS = {
    "train": ("error_top1_pct_mean_last_10k_it", "error_top1_pct_mean_last_9e4_it"),
    "test": (
        *("error_top1_pct_mean", "error_top1_pct", "error_top1_pct_last_point"),
        *("error_top1_pct_lower_bound", "accuracy_pct_mean", "accuracy_pct"),
    ),
}
PLACES = {"train": ("train",), "test": ("test", "val")}  # how the split's name starts
FAIL = "fail"  # "test error more than 20 %" (He 2016, Table 1)
FAILS_ABOVE = 0.2


class PublishedError(NamedTuple):
    """`error` is a fraction; `verified` is False for a figure not read in the primary text.

    `is_bound`: the paper says only that the error is above it, as of plain-110. `best`: the figure
    of the best run, where the paper prints that beside the mean; `runs` their number, 0 if unsaid.
    """

    error: float
    source: str
    protocol: str
    verified: bool
    is_bound: bool = False
    std: float | None = None
    runs: int = 0
    best: float | None = None


def published_error(
    tables: tuple[str, ...], dataset: str, split: str, network: str, protocol: str = ""
) -> PublishedError | None:
    """The figure for a network in the first of the tables that has one.

    `dataset` and `network` as published.csv writes them; `protocol` chooses where a table has rows
    under several.
    """
    rows = _by_network().get((dataset, network))
    if rows is None:
        return None
    rows = rows[rows.split.str.startswith(PLACES[split])]
    if protocol:
        rows = rows[rows.protocol == protocol]
    for table in tables:
        for metric in METRICS[split]:
            found = rows[(rows.table_id == table) & (rows.metric == metric)]
            if not found.empty:
                return _error(found.iloc[0], rows[rows.table_id == table])
    return None


def _error(row: "pd.Series[Any]", same_network: "pd.DataFrame") -> PublishedError:
    metric, fails = str(row.metric), row.value == FAIL
    best = same_network[same_network.n_runs.astype(str).str.startswith("best")]
    runs = re.search(r"\d+", str(row.n_runs))
    return PublishedError(
        error=FAILS_ABOVE if fails else _fraction(row.value, metric),
        source=str(row.source),
        protocol=str(row.protocol),
        verified=row.verified == "yes",
        is_bound=fails or metric.endswith("lower_bound"),
        std=None if math.isnan(float(row["std"])) else float(row["std"]) / 100,
        runs=int(runs[0]) if runs else 0,
        best=None if best.empty else _fraction(best.iloc[0].value, best.iloc[0].metric),
    )


def _fraction(value: object, metric: str) -> float:
    percent = float(str(value))
    return (100 - percent if metric.startswith("accuracy") else percent) / 100


def published_curve(figure: str, depth: int, residual: bool, split: str) -> "pd.DataFrame":
    """Columns step and error (a fraction), digitised; empty where the figure has no such curve.

    Fig. 6's axis ends at 20 % error: its curves start where they fall below that.
    """
    curves = _curves()
    curve = curves[
        (curves.figure == figure)
        & (curves.family == ("resnet" if residual else "plain"))
        & (curves.depth == depth)
        & curves.split.isin(["test", "val"] if split == "test" else [split])
    ]
    import pandas as pd

    return pd.DataFrame({"step": curve.iteration, "error": curve.error_percent / 100})


def curve_end(
    figure: str, depth: int, residual: bool, split: str, steps: int = 10_000
) -> float | None:
    """The mean error over the last steps of a digitised curve; None where there is no curve."""
    curve = published_curve(figure, depth, residual, split)
    if curve.empty:
        return None
    return float(curve["error"][curve["step"] > curve["step"].max() - steps].mean())


def published_rows(table: str) -> "pd.DataFrame":
    """All rows of one table or figure of a paper, as published.csv has them."""
    rows = _published()
    return rows[rows.table_id == table]


@cache
def _by_network() -> dict[Any, "pd.DataFrame"]:
    """The published rows by data set and network."""
    return dict(list(_published().groupby(["dataset", "variant"])))


@cache
def _published() -> "pd.DataFrame":
    import pandas as pd

    return pd.read_csv(str(files("resx.reference") / "published.csv"), dtype={"n_runs": str})


@cache
def _curves() -> "pd.DataFrame":
    import pandas as pd

    return pd.read_csv(str(files("resx.reference") / "curves_he2015.csv"))


@cache
def published_responses() -> "pd.DataFrame":
    """He 2015, Fig. 7: standard deviations of layers' responses, statistics over the layers.

    Columns residual, depth, statistic (mean, median, min, max), value; of nets that were trained
    on CIFAR-10, digitised (+- 0.03).
    """
    import pandas as pd

    start = "layer_response_std_"
    rows = _published()
    rows = rows[(rows.table_id == "HE15-F7") & rows.metric.str.startswith(start)]
    return pd.DataFrame(
        {
            "residual": rows.family == "ResNet",
            "depth": rows.depth.astype(int),
            "statistic": rows.metric.str.removeprefix(start),
            "value": rows.value.astype(float),
        }
    ).reset_index(drop=True)
