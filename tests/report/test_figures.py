"""Figures show every run that counts, and nothing that does not."""

import json

import pytest

from resx.report.curves import curves_figure, numeric_curves
from resx.report.figures import depth_figure, gap_figure, rows_figure
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
    """The clean error, on which verdicts rest, is drawn, and bolder than the running mean."""
    figure = curves_figure(degraded.runs, degraded.curves, ["depth"], None)
    plain, residual, plain_test, _ = figure.axes
    assert [axis.get_title() for axis in figure.axes] == [
        "plain, training",
        "residual, training",
        "plain, test",
        "residual, test",
    ]
    assert labels(plain) == [f"{d} {kind}" for d in (20, 56, 110) for kind in ("clean", "running")]
    assert labels(residual) == [f"{d} {kind}" for d in (20, 56) for kind in ("clean", "running")]
    assert labels(plain_test) == ["20 test", "56 test", "110 test"]
    clean, running = plain.lines[:2]
    assert clean.get_linewidth() > running.get_linewidth()
    assert len(plain.collections) == 2 * 2  # bands, but of one seed none


def test_the_legend_says_what_bands_are_and_of_how_many_seeds(degraded):
    """Beside the panels, so that it hides no data."""
    figure = curves_figure(degraded.runs, degraded.curves, ["depth"], None)
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names[:3] == ["20", "56", "110"]
    assert names[-1] == "range of 1 to 3 seeds"
    assert not any(axis.get_legend() for axis in figure.axes)


def test_a_cross_stands_where_a_seed_diverged(degraded):
    """Once the mean and the band went on without it, and nothing said so."""
    figure = curves_figure(degraded.runs, degraded.curves, ["depth"], None)
    crosses = [[line for line in axis.lines if line.get_marker() == "x"] for axis in figure.axes]
    assert [len(found) for found in crosses] == [1, 0, 1, 0]  # plain-110
    assert list(crosses[0][0].get_xdata()) == [40]
    assert "a seed diverged" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_run_that_diverged_before_its_first_record_is_drawn_beside_the_others(degraded, runs):
    """Once its empty records made numbers of all others objects, and the report ended there."""
    runs.write_one(56, False, 3, 0.9, status="diverged")
    (last,) = runs.outputs.glob("**/resnet-56-plain/s3-*")
    (last / "metrics.jsonl").write_text("")
    summary = json.loads((last / "summary.json").read_text())
    for name in ("checksum", "checksums"):
        summary.pop(name, None)
    (last / "summary.json").write_text(json.dumps(summary | {"last": {}}))
    collected = runs.collect()
    assert not collected.skipped
    assert collected.curves["error"].dtype.kind == "f"
    figure = curves_figure(collected.runs, collected.curves, ["depth"], None)
    assert len(figure.axes[0].collections) == 2 * 2


def test_for_a_phone_panels_stand_one_below_the_other(degraded):
    for narrow, columns in ((False, 2), (True, 1)):
        figure = curves_figure(degraded.runs, degraded.curves, ["depth"], None, narrow)
        assert figure.axes[0].get_gridspec().ncols == columns
        figure = depth_figure(degraded.runs, narrow)
        assert figure.axes[0].get_gridspec().ncols == columns


def test_a_kind_of_network_without_runs_has_no_panel(runs):
    runs.write({(20, True): (0.1,)})
    collected = runs.collect()
    figure = curves_figure(collected.runs, collected.curves, ["depth"], None)
    assert [axis.get_title() for axis in figure.axes] == ["residual, training", "residual, test"]


def test_the_curves_as_numbers_are_those_that_are_drawn(degraded):
    numbers = numeric_curves(degraded.runs, degraded.curves, ["depth"])
    last = numbers[(numbers["depth"] == 56) & ~numbers["residual"] & (numbers["step"] == 40)]
    (clean,) = last[last["split"] == "train_clean"].to_dict("records")
    assert (clean["mean"], clean["n"]) == (pytest.approx(0.06 + 1 / 40), 3)
    assert (clean["low"], clean["high"]) == (
        pytest.approx(0.055 + 1 / 40),
        pytest.approx(0.065 + 1 / 40),
    )


def test_the_papers_curves_lie_behind_where_the_protocol_is_the_papers(degraded):
    figure = curves_figure(degraded.runs, degraded.curves, ["depth"], "he2015_cifar")
    for axis in figure.axes[:3:2]:  # plain: training, test
        grey = [line for line in axis.lines if line.get_color() == "0.7"]
        assert [line.get_label() for line in grey] == ["20 the paper's", "56 the paper's"]
        assert max(line.get_zorder() for line in grey) == 0
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "the paper's curve" in names


def test_many_rows_have_their_legend_outside(runs):
    for width in range(1, 10):
        runs.write({(56, True): (0.1,)}, model__width=width)
    collected = runs.collect()
    figure = curves_figure(collected.runs, collected.curves, ["depth", "model.width"], None)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()][:2] == ["56, 1", "56, 2"]


def test_final_errors_are_those_of_finished_runs(degraded):
    train, test = depth_figure(degraded.runs).axes
    highest = max(line.get_ydata().max() for line in test.lines if len(line.get_ydata()))
    assert test.get_ylim()[1] > highest  # once the first panel's limit cut the second's points
    assert labels(train) == ["plain", "residual"]
    means = {line.get_label(): line for line in train.lines}["plain"]
    assert list(means.get_xdata()) == [20, 56]
    assert [tick.get_text() for tick in train.get_xticklabels()] == ["20", "56", "110"]
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
