"""Figures are the same for the same numbers, whenever they are drawn, and legible in grey."""

import json
import re
from html import unescape

import matplotlib
import pytest
from matplotlib.figure import Figure

from resx.plotting import LOOKS, METADATA, depth_axis, draw, shades


def line() -> Figure:
    figure = Figure()
    figure.subplots().plot([0, 1], [1, 0], label="error")
    return figure


def test_a_figure_has_three_forms_without_a_date(tmp_path, monkeypatch):
    files = []
    for moment in ("0", "1000000000"):  # what matplotlib dates a file by, if it does
        monkeypatch.setenv("SOURCE_DATE_EPOCH", moment)
        folder = tmp_path / moment
        folder.mkdir()
        assert draw("line", folder, line) == folder / "line.svg"
        files.append([(folder / f"line.{suffix}").read_bytes() for suffix in METADATA])
    assert files[0] == files[1]
    assert [start[:4] for start in files[0]] == [b"\x89PNG", b"%PDF", b"<?xm"]


def test_the_svg_has_the_values_of_its_curves_and_their_place(tmp_path):
    """So that a page shows them under the pointer without the numbers from elsewhere."""
    found = re.search(r'<svg data-values="([^"]*)"', draw("line", tmp_path, line).read_text())
    (panel,) = json.loads(unescape(found[1]))
    assert panel["curves"] == [
        {"name": "error", "colour": "#1f77b4", "x": [0.0, 1.0], "y": [1.0, 0.0]}
    ]
    left, top, right, bottom = panel["box"]
    assert 0 < left < right < 72 * 6.4
    assert 0 < top < bottom < 72 * 4.8


def test_a_path_has_a_hundredth_of_a_point_and_a_text_all_its_digits(tmp_path):
    def labelled() -> Figure:
        figure = line()
        figure.axes[0].set_title("12.345678 of all")
        return figure

    svg = draw("labelled", tmp_path, labelled).read_text()
    drawn = re.search(r'<path d="([^"]*)" clip-path', svg)[1]
    assert len(re.findall(r"\d\d\.\d\d\b", drawn)) == 4
    assert not re.search(r"\d\d\.\d{3}", drawn)
    assert ">12.345678 of all<" in svg


def test_a_surface_and_dots_have_no_values(tmp_path):
    figure = Figure()
    figure.subplots().plot([0, 1], [1, 0], "o", label="dots")
    figure.add_subplot(projection="3d").plot([0, 1], [0, 1], [0, 1], label="path")
    assert '<svg data-values="[]"' in draw("none", tmp_path, lambda: figure).read_text()


@pytest.mark.parametrize(("depths", "scale"), [((20, 32, 56), "linear"), ((20, 110), "log")])
def test_ticks_are_the_depths_that_there_are(depths, scale):
    axis = Figure().subplots()
    axis.plot(depths, depths)
    depth_axis(axis, depths)
    assert [tick.get_text() for tick in axis.get_xticklabels()] == list(map(str, depths))
    assert not axis.get_xticklabels(minor=True)
    assert axis.get_xscale() == scale


def test_the_style_is_that_of_the_figure_and_of_no_other(tmp_path):
    before = dict(matplotlib.rcParams)
    draw("line", tmp_path, line)
    assert dict(matplotlib.rcParams) == before
    assert "<text" in (tmp_path / "line.svg").read_text()  # not outlines of letters


def test_shades_fall_in_lightness_so_that_grey_keeps_their_order():
    lightness = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b, _ in shades(9)]
    assert lightness == sorted(lightness, reverse=True)
    assert len(shades(0)) == 1


def test_plain_and_residual_differ_in_more_than_colour():
    plain, residual = LOOKS
    assert plain.marker != residual.marker
    assert plain.line != residual.line
