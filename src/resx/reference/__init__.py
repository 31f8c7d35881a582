"""Published figures as data; every row keeps its source."""

import csv
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class PublishedCount(NamedTuple):
    """`request` is what `resx info` builds the network from."""

    request: str
    parameters: int
    source: str


@cache
def parameter_counts() -> dict[tuple[str, int], PublishedCount]:
    """Published numbers of parameters by (network title, number of classes), colour images."""
    text = files("resx.reference").joinpath("parameters.csv").read_text()
    rows = csv.DictReader(text.splitlines())
    return {
        (row["network"], int(row["num_classes"])): PublishedCount(
            row["request"], int(row["parameters"]), row["source"]
        )
        for row in rows
    }
