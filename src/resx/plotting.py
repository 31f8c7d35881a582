"""One style for all figures: colours that the colour-blind and a grey print can tell apart."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.figure import Figure

STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "svg.fonttype": "none",  # text stays text: smaller, and can be searched on the page
    "svg.hashsalt": "resx",  # the same runs give the same file
    "figure.constrained_layout.use": True,
}

# Without a date, so that the same runs give the same file.
METADATA: dict[str, dict[str, Any]] = {
    "png": {},
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
}


class Look(NamedTuple):
    """How plain or residual networks are drawn in every figure."""

    residual: bool
    name: str
    marker: str
    line: str
    colour: str


# Vermilion and blue of Okabe and Ito's palette, which all common colour-blindness can tell apart.
PLAIN = Look(False, "plain", "s", "--", "#d55e00")
RESIDUAL = Look(True, "residual", "o", "-", "#0072b2")
LOOKS = (PLAIN, RESIDUAL)

Colour = tuple[float, float, float, float]


def shades(count: int) -> list[Colour]:
    """From yellow-green to dark blue: lightness falls steadily, so a grey print keeps the order."""
    colours = matplotlib.colormaps["viridis"](np.linspace(0.85, 0.0, max(count, 1)))
    return [tuple(map(float, colour)) for colour in colours]  # type: ignore[misc]


def draw(name: str, directory: Path, make: Callable[[], Figure]) -> Path:
    """Write a figure as PNG, PDF and SVG; returns the SVG's path.

    `make` is called within the style, which matplotlib reads when axes are made.
    """
    with matplotlib.rc_context(STYLE):
        figure = make()
        for suffix, metadata in METADATA.items():
            figure.savefig(directory / f"{name}.{suffix}", dpi=150, metadata=metadata)
    return directory / f"{name}.svg"
