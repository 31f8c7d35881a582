"""Steps to a training error, and seeds that never get there."""

import pytest

from resx.report.convergence import convergence, convergence_figure, steps_table

ROWS = ["depth", "model.shortcut"]


@pytest.fixture
def reached(runs):
    """Errors fall as error + 1 / step at steps 10, 20, 30 and 40."""
    runs.write({(56, True): (0.01, 0.06)}, model__shortcut="A")
    runs.write({(56, True): (0.9,)}, model__shortcut="B")
    collected = runs.collect()
    return collected, convergence(collected.runs, collected.curves)


def test_the_step_is_the_first_record_at_or_below_the_error(reached):
    _, table = reached
    steps = table[table["seed"] == 0].pivot(index="directory", columns="threshold", values="step")
    best, worst = steps.sort_values(0.05).values  # 1, 2, 5, 10, 20, 30, 50 %
    assert list(best)[2:] == [30, 20, 10, 10, 10]  # 0.01 + 1/30 is the first below 0.05
    assert not any(step > 0 for step in (*best[:2], *worst))


def test_steps_stand_in_the_row_of_their_setting(reached):
    collected, steps = reached
    table = steps_table(collected.runs, steps, ROWS)
    # 10 % of A: 0.01 + 1 / 20 and 0.06 + 1 / 30 are the first below it, so 25 steps in the mean.
    assert table[["shortcut", "network", "50%", "10%", "5%"]].values.tolist() == [
        ["A", "residual", "10", "25", "30 (1 of 2)"],
        ["B", "residual", "never", "never", "never"],
    ]


def test_a_net_that_never_gets_there_is_not_drawn(reached):
    _, steps = reached
    plain, residual = convergence_figure(steps).axes
    assert not plain.lines
    labels = [line.get_label() for line in residual.lines]
    assert labels == ["50%", "30%", "20%", "10%", "5%"]
