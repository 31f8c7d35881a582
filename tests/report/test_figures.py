"""Figures show every run that counts, and nothing that does not."""

import pytest

from resx.report.figures import curves_figure, depth_figure, gap_figure, rows_figure
from resx.report.gaps import gap_table
from resx.report.measures import CLEAN_ERROR
from tests.report.synthetic import DEGRADED


@pytest.fixture
def degraded(runs):
    runs.write(DEGRADED)
    runs.write_one(110, False, 0, 0.9, status="diverged")
    return runs.collect()


def labels(axis):
    return axis.get_legend_handles_labels()[1]


def test_curves_have_a_line_for_each_network_and_split(degraded):
    plain, residual = curves_figure(degraded.runs, degraded.curves, ["depth"], None).axes
    assert labels(plain) == ["plain-20", "plain-56", "plain-110"]
    assert labels(residual) == ["residual-20", "residual-56"]
    assert len(plain.lines) == 2 * 3
    assert len(plain.collections) == 2 * 2  # bands, but of one seed none


def test_the_papers_curves_lie_behind_where_the_protocol_is_the_papers(degraded):
    plain, _ = curves_figure(degraded.runs, degraded.curves, ["depth"], "he2015_cifar").axes
    grey = [line for line in plain.lines if line.get_color() == "0.7"]
    assert len(grey) == 4  # training and test of plain-20 and plain-56
    assert max(line.get_zorder() for line in grey) == 0


def test_many_rows_have_their_legend_outside(runs):
    for width in range(1, 10):
        runs.write({(56, True): (0.1,)}, model__width=width)
    collected = runs.collect()
    figure = curves_figure(collected.runs, collected.curves, ["depth", "model.width"], None)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()][:2] == ["56, 1", "56, 2"]


def test_final_errors_are_those_of_finished_runs(degraded):
    train, _ = depth_figure(degraded.runs).axes
    assert labels(train) == ["plain", "residual"]
    means = {line.get_label(): line for line in train.lines}["plain"]
    assert list(means.get_xdata()) == [20, 56]
    assert list(means.get_ydata()) == pytest.approx([1.1, 6.0])


def test_the_gap_is_drawn_with_its_interval(degraded):
    (axis,) = gap_figure(degraded.runs).axes
    assert [list(bar.lines[0].get_xdata()) for bar in axis.containers] == [[20], [56]]
    (interval,) = axis.containers[1].lines[2][0].get_segments()
    (cell,) = (c for c in gap_table(degraded.runs, ["depth"], CLEAN_ERROR) if c.key == (56,))
    assert interval[:, 1] == pytest.approx([100 * cell.gap.low, 100 * cell.gap.high])
    assert 4 < interval[0, 1] < 5.9 < interval[1, 1] < 8


def test_survivors_have_no_interval_and_what_diverged_is_said(degraded):
    """As in the table of gaps; once the figure drew the survivors' interval."""
    runs = degraded.runs.copy()
    lost = (runs["depth"] == 56) & ~runs["residual"] & (runs["seed"] == 0)
    runs.loc[lost, "status"] = "diverged"
    (axis,) = gap_figure(runs).axes
    assert [bar.has_yerr for bar in axis.containers] == [True, False]
    for axis in depth_figure(runs).axes:
        marks = {(text.get_position()[0], text.get_text()) for text in axis.texts}
        assert marks == {(56, "1 diverged"), (110, "1 diverged")}


def test_variants_have_a_line_each_and_say_what_diverged(runs):
    runs.write({(56, True): (0.1, 0.2)}, model__shortcut="A")
    runs.write_one(56, True, 0, 0.9, status="diverged", model__shortcut="B")
    axes = rows_figure(runs.collect().runs, ["depth", "model.shortcut"]).axes
    names = [tick.get_text() for tick in axes[0].get_yticklabels()]
    assert names == ["B  (1 diverged)", "A"]
    assert labels(axes[0]) == ["residual"]
    (means,) = [line for line in axes[0].lines if line.get_label() == "residual"]
    assert list(means.get_xdata()) == pytest.approx([15.0])
    assert means.get_linestyle() == "None"
