"""Published figures are the papers', and stand beside ours with their bounds."""

import pytest

from resx.reference.published import PROTOCOLS, published_curve, published_error
from resx.report.literature import notes_table, sources
from resx.report.measures import TEST_ERROR
from resx.report.tables import measure_table


def test_published_figures_are_the_papers():
    """He 2015, Table 2 (ten crops), and the notes' improvement of 3.51 points."""
    plain_34, resnet_34 = (published_error("he2015_table2", "test", 34, r) for r in (False, True))
    assert (plain_34.error, resnet_34.error) == pytest.approx((0.2854, 0.2503))
    assert plain_34.error - resnet_34.error == pytest.approx(0.0351)
    assert "Table 2" in plain_34.source
    assert published_error("he2015_table3", "test", 34, True, "C").error == pytest.approx(0.2419)
    assert published_error("he2015_fig6", "test", 56, False).error == pytest.approx(0.1323)
    assert published_error("he2015_fig6", "test", 57, False) is None


def test_a_bound_of_the_paper_is_shown_as_one(runs):
    """He 2015, Fig. 6: plain-110 is above 60 % and not displayed."""
    runs.write({(110, False): (0.7, 0.8), (110, True): (0.001, 0.002)})
    row = measure_table(runs.collect().runs, ["depth"], TEST_ERROR, "he2015_fig6").iloc[0]
    assert row["published plain"] == "> 60.00"
    assert row["published residual"] == "6.43"
    assert row["published gap"] == "> +53.57"


@pytest.mark.parametrize("residual", [True, False])
def test_digitised_curves_end_at_the_tables_values(residual):
    curve = published_curve("Fig. 6", 56, residual, "test")
    end = published_error("he2015_fig6", "test", 56, residual).error
    assert curve["error"].iloc[-1] == pytest.approx(end, abs=0.001)
    assert curve["step"].max() > 63_000


def test_no_reference_shows_an_unverified_figure_unmarked():
    """What the protocols quote was read in the papers; anything else would carry the mark."""
    depths = (18, 20, 32, 34, 44, 50, 56, 101, 110, 152)
    figures = [
        published_error(name, split, depth, residual)
        for name in PROTOCOLS
        for split in ("train", "test")
        for depth in depths
        for residual in (True, False)
    ]
    found = [figure for figure in figures if figure is not None]
    assert len(found) > 20
    assert all(figure.verified for figure in found)


def test_sources_are_quoted_once_each(runs):
    runs.write({(20, False): (0.1, 0.2), (56, False): (0.1,), (56, True): (0.1,)})
    quoted = sources("he2015_fig6", runs.collect().runs)
    assert len(quoted) == len(set(quoted)) >= 2
    assert any("Table 6" in source for source in quoted)
    assert sources(None, runs.collect().runs) == []


def test_ours_stand_in_the_notes_table_only_if_they_keep_to_its_protocol(runs):
    runs.write({(34, False): (0.5, 0.6), (34, True): (0.4,)})
    table = runs.collect().runs
    faithful, departing = dict.fromkeys(table.index, "none"), dict.fromkeys(table.index, "steps")
    ours = ["depth", "published plain", "published gap", "ours plain", "ours ResNet"]
    for departures, reference, expected in (
        (faithful, "he2015_table2", ["55.00 (2)", "40.00 (1)"]),
        (departing, "he2015_table2", ["-", "-"]),
        (faithful, "he2015_fig6", ["-", "-"]),
    ):
        row = notes_table(table, departures, reference)[ours].iloc[1]
        assert list(row) == [34, "28.54", "+3.51", *expected]
