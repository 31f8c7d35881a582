"""Published errors to hold ours against: figures, tables and digitised curves, with sources."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import pandas as pd


class Protocol(NamedTuple):
    """A published experiment: where its numbers stand, and the request that repeats it.

    `splits` maps ours (train, test) to places in published.csv, the best first: (table, start of
    the split's name, metric); `variants` are settings of which the table has several, or that
    have two names; `curves` is the figure in curves_he2015.csv.
    """

    title: str
    overrides: tuple[str, ...]
    images: int  # for training
    variants: dict[str, list[str | None]]
    splits: dict[str, tuple[tuple[str, str, str], ...]]
    curves: str = ""


LAST, ABOVE = "error_top1_pct_last_point", "error_top1_pct_lower_bound"
PROTOCOLS = {
    "he2015_fig6": Protocol(
        "He et al. 2015, Fig. 6 and Table 6: CIFAR-10, 64k steps",
        ("data=cifar10", "recipe=he2015_cifar"),
        50_000,
        {"model.shortcut": [None, "A"], "layout": ["auto", "cifar"], "block": ["basic"]},
        {
            "train": (("HE15-F6", "train", LAST),),
            "test": (
                ("HE15-T6", "test", "error_top1_pct"),
                ("HE15-F6", "test", LAST),
                ("HE15-F6", "test", ABOVE),
            ),
        },
        "Fig. 6",
    ),
    "he2015_table2": Protocol(
        "He et al. 2015, Table 2 (ten crops) and Fig. 4: ImageNet, 18 and 34 layers, option A",
        ("data=imagenet", "recipe=he2015_imagenet", "data.crops=10"),
        1_281_167,
        {"model.shortcut": ["A"], "layout": ["auto", "imagenet"], "block": ["basic"]},
        {"train": (("HE15-F4", "train", LAST),), "test": (("HE15-T2", "val", "error_top1_pct"),)},
        "Fig. 4",
    ),
    "he2015_table3": Protocol(
        "He et al. 2015, Table 3: ImageNet, ten crops",
        ("data=imagenet", "recipe=he2015_imagenet", "data.crops=10"),
        1_281_167,
        {
            "model.shortcut": [None, "A", "B", "C"],
            "layout": ["auto", "imagenet"],
            "block": ["basic", "bottleneck"],
        },
        {"test": (("HE15-T3", "val", "error_top1_pct"),)},
    ),
}


class PublishedError(NamedTuple):
    """`error` is a fraction; `verified` is False for a figure not read in the primary text.

    `is_bound`: the paper says only that the error is above it, as of plain-110.
    """

    error: float
    source: str
    protocol: str
    verified: bool
    is_bound: bool = False


def published_error(
    reference: str, split: str, depth: int, residual: bool, shortcut: str | None = None
) -> PublishedError | None:
    """The figure for a network in a protocol, None where the paper has none.

    `shortcut` chooses among options where the table has several; None takes the first.
    """
    for table, start, metric in PROTOCOLS[reference].splits.get(split, ()):
        rows = _published()
        rows = rows[
            (rows.table_id == table)
            & rows.split.str.startswith(start)
            & (rows.metric == metric)
            & (rows.depth == depth)
            & (rows.family == ("ResNet" if residual else "plain"))
        ]
        if shortcut is not None and residual:
            rows = rows[rows.shortcut == shortcut]
        if not rows.empty:
            row = rows.iloc[0]
            source, protocol = str(row.source), str(row.protocol)
            verified = row.verified == "yes"
            return PublishedError(
                float(row.value) / 100, source, protocol, verified, metric == ABOVE
            )
    return None


def published_curve(figure: str, depth: int, residual: bool, split: str) -> pd.DataFrame:
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
    return pd.DataFrame({"step": curve.iteration, "error": curve.error_percent / 100})


@cache
def _published() -> pd.DataFrame:
    table = pd.read_csv(str(files("resx.reference") / "published.csv"))
    return table.assign(depth=pd.to_numeric(table.depth, errors="coerce"))


@cache
def _curves() -> pd.DataFrame:
    return pd.read_csv(str(files("resx.reference") / "curves_he2015.csv"))


@cache
def published_responses() -> pd.DataFrame:
    """He 2015, Fig. 7: standard deviations of layers' responses, statistics over the layers.

    Columns residual, depth, statistic (mean, median, min, max), value; of nets that were trained
    on CIFAR-10, digitised (+- 0.03).
    """
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
