"""One style for all figures: colours that the colour-blind and a grey print can tell apart."""

import io
import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

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


NARROW = 4.4  # inches: what a phone shows without scrolling, in letters that can be read
MOST_POINTS = 1000  # of a curve whose values a page shows
FINER = re.compile(r"(?<=\d\d\.\d\d)\d+")  # than a hundredth of a point: nobody sees it


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


class Drawn(NamedTuple):
    """A figure in its folder: PNG and PDF lie beside the SVG; the caption explains its marks."""

    title: str
    caption: str
    svg: Path


def panels(count: int, height: float, narrow: bool) -> tuple[Figure, list[Axes]]:
    """Side by side for a desk; one below the other, as narrow as a phone, if `narrow`."""
    if not narrow:
        figure = Figure(figsize=(9 if count > 1 else 6, height))
        return figure, list(np.atleast_1d(figure.subplots(1, count, sharey=True)))
    figure = Figure(figsize=(NARROW, 0.8 * height * count))
    return figure, list(np.atleast_1d(figure.subplots(count, 1, sharey=True)))


def legend_outside(figure: Figure, narrow: bool, handles: Sequence[Artist], **options: Any) -> None:
    """Beside the panels, or below them if `narrow`: it hides no data."""
    place = (
        {"loc": "outside lower center", "ncols": 2} if narrow else {"loc": "outside right upper"}
    )
    if handles:
        figure.legend(handles=handles, fontsize=8, **(place | options))


def depth_axis(axis: Axes, depths: Iterable[float]) -> None:
    """Ticks where there are networks; logarithmic where the deepest would press the others."""
    ticks = sorted({int(depth) for depth in depths})
    if ticks and ticks[-1] > 5 * ticks[0]:
        axis.set_xscale("log")
    axis.set_xticks(ticks, list(map(str, ticks)))
    axis.set_xticks([], minor=True)
    axis.set_xlabel("depth")


def draw(
    name: str,
    directory: Path,
    make: Callable[[], Figure],
    narrow: Callable[[], Figure] | None = None,
) -> Path:
    """Write a figure as PNG, PDF and SVG; returns the SVG's path.

    `make` is called within the style, which matplotlib reads when axes are made. What `narrow`
    makes is the same for a phone, an SVG of its own beside it.
    """
    path = directory / f"{name}.svg"
    with matplotlib.rc_context(STYLE):
        figure = make()
        for suffix in ("png", "pdf"):
            file = directory / f"{name}.{suffix}"
            figure.savefig(file, dpi=150, metadata=METADATA[suffix])
            figure.set_layout_engine("none")  # places once found are kept: to find them is slow
        path.write_text(svg_with_values(figure))
        if narrow is not None:
            narrow_path(path).write_text(svg_with_values(narrow()))
    return path


def narrow_path(svg: Path) -> Path:
    """Where the form for a phone lies, if the figure has one."""
    return svg.with_name(f"{svg.stem}-narrow.svg")


def svg_with_values(figure: Figure) -> str:
    """The figure, and the points of its curves as data: a page shows them under the pointer."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=METADATA["svg"])
    found = [panel for axis in figure.axes if (panel := values(axis))["curves"]]
    labels = [panel["x"] for panel in found if panel["x"]]
    for panel in found:  # of panels that share their axis one has its label
        panel["x"] = panel["x"] or (labels[0] if labels else "")
    data = json.dumps(found, separators=(",", ":"), allow_nan=False)
    svg = re.sub(r"\n +", "\n", buffer.getvalue())  # indents: 20 kB a page
    svg = re.sub(r' d="[^"]*"', lambda path: FINER.sub("", path[0]), svg)
    return svg.replace("<svg ", f'<svg data-values="{escape(data)}" ', 1)


def values(axis: Axes) -> dict[str, Any]:
    """A panel's place in the SVG (left, top, right, bottom) and its labelled curves.

    Curves without a label or a line, and those too long to be read by point, are left out.
    """
    figure = axis.get_figure(root=True)
    assert figure is not None
    width, height = 72 * figure.get_size_inches()
    box = axis.get_position()
    flat = axis.name != "3d"  # of a surface a place on the page is no value
    lines = [line for line in axis.lines if flat and _is_read_by_point(line)]
    return {
        "title": axis.get_title(),
        "x": axis.get_xlabel(),
        "box": _numbers(
            (box.x0 * width, height - box.y1 * height, box.x1 * width, height - box.y0 * height)
        ),
        "limits": _numbers(axis.get_xlim()),
        "log": axis.get_xscale() == "log",
        "curves": [
            {
                "name": line.get_label(),
                "colour": matplotlib.colors.to_hex(line.get_color()),
                "x": _numbers(line.get_xdata()),
                "y": _numbers(line.get_ydata()),
            }
            for line in lines
        ],
    }


def _is_read_by_point(line: Line2D) -> bool:
    named = not str(line.get_label()).startswith("_")  # matplotlib's mark of a line without a label
    points = len(np.atleast_1d(line.get_xdata()))
    return named and line.get_linestyle() != "None" and 1 <= points <= MOST_POINTS


def _numbers(column: Any) -> list[float | None]:
    """To seven digits; what is not finite is no number of JSON."""
    return [
        float(f"{v:.7g}") if math.isfinite(v) else None for v in np.asarray(column, dtype=float)
    ]
