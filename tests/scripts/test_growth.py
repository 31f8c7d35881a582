"""Growth is measured a process a row, and called linear where it is."""

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "scripts" / "growth.py"


@pytest.fixture(scope="module")
def growth():
    spec = importlib.util.spec_from_file_location("growth", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_growth_is_called_linear_where_it_is_and_its_exponent_told_elsewhere(growth):
    """Time: no growth, then proportional, then quadratic."""
    seconds = [1.0, 1.0, 2.0, 8.0]
    cells = [growth.Cell(n, s, 10.0 * n, 10.0 * n, n) for n, s in zip((10, 20, 40, 80), seconds)]
    text = "\n".join(growth.table("layers", cells, ("value", "value")))
    assert "Time in proportion to layers (exponent 1, give or take 0.1): 20 to 40." in text
    assert "Not so, with the exponent: 10 to 20 (0.00), 40 to 80 (2.00)." in text
    assert "Memory in proportion to layers (exponent 1, give or take 0.1): 10 to 20, 20" in text
    assert "| 80 | 8000.0 | 1.00 |" in text


@pytest.mark.slow
def test_rows_are_measured_in_processes_of_their_own(growth, capsys):
    """One is given no time, and the others go on."""
    options = ["--depths", "8,14", "--widths", "4", "--batches", ""]
    assert growth.main([*options, "recipe.batch_size=8"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows if "ms a step" not in row] == ["| 8", "| 14", "| 4"]
    assert all(len(row.split("|")) == 8 and "over" not in row for row in rows)
    cell = growth.apart(8, ["depth=8"], limit=0.01)
    assert cell.why == "over 0.01 s"
    assert "depth=9: no such network" in growth.apart(9, ["depth=9"], limit=60).why


def test_what_does_not_fit_is_not_tried(growth, monkeypatch):
    monkeypatch.setattr(growth, "available_memory", lambda device: 10**6)
    cell = growth.measure(8, ["depth=8", "device=cpu"])
    assert cell.why == "more than is free" and cell.estimate > 10**6
