"""Seeds that were added after a look at a report are said so."""

import pytest

from resx.report.build import build_report
from resx.report.history import HISTORY, added_seeds, note
from resx.report.selection import Selection
from resx.store.store import Store
from tests.report.synthetic import DEGRADED


@pytest.fixture
def report(runs, monkeypatch):
    monkeypatch.setattr("resx.report.build.draw_figures", lambda report, directory: [])
    return lambda: build_report(runs.collect(), Selection("n", "", ""), Store(runs.outputs))


def test_seeds_added_after_a_report_are_said_so(runs, report):
    runs.write(DEGRADED)
    assert report().added == report().added == ""
    for (depth, residual), errors in DEGRADED.items():
        runs.write_one(depth, residual, 3, errors[0])
    sentence = report().sentences[-1]
    assert sentence.startswith("Seed 3 was added after a report of 3 seeds (")
    assert report().sentences[-1] == sentence  # and it stays said


def test_a_history_that_is_damaged_is_none(runs, report):
    """Once a file of ten gigabytes was read whole."""
    runs.write(DEGRADED)
    path = Store(runs.outputs).reports / HISTORY
    with path.open("wb") as file:
        file.truncate(10 * 2**30)
    assert report().added == ""


def test_a_study_in_which_a_run_diverged_is_remembered_too(runs, report):
    """It ends the study as much as any other run."""
    runs.write(DEGRADED)
    runs.write_one(56, False, 3, 0.9, status="diverged")
    report()
    runs.write_one(56, False, 4, 0.06)
    assert "Seed 4 was added after a report of 4 seeds" in report().added


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ([(0, 1, 2), (0, 1)], ""),  # two were chosen of three that had been seen
        ([(0, 1, 2, 3), (0, 1)], ""),
        ([(0, 1), (0, 1, 2), (0,)], "Seed 2 was added after a report of 2 seeds"),
        ([(0,), (1, 2)], "Seed 0 was added after a report of 2 seeds"),
    ],
)
def test_only_a_report_of_fewer_seeds_that_came_first_counts(runs, before, said):
    runs.write({(20, True): (0.1, 0.1, 0.1)})
    table = runs.collect().runs
    for seeds in before:
        note(table[table["seed"].isin(seeds)], runs.outputs)
    added = added_seeds(table, runs.outputs)
    assert added.startswith(said) and bool(added) == bool(said)


def test_other_networks_are_no_earlier_report(runs, report):
    runs.write(DEGRADED)
    report()
    runs.write({(110, True): (0.1, 0.1, 0.1, 0.1)})
    assert report().added == ""


def test_a_study_that_is_still_running_is_no_report_to_add_to(runs, report):
    runs.write_one(20, True, 0, 0.1, status="interrupted")
    report()
    runs.write_one(20, True, 1, 0.1)
    assert not (runs.outputs / "reports" / "history.jsonl").exists()
