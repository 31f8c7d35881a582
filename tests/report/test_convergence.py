"""Steps to a training error, and seeds that never get there."""

import pytest

from resx.inference import Answer, Rules
from resx.report.convergence import (
    convergence,
    convergence_figure,
    numeric_steps,
    slows_with_depth,
    steps_table,
)

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
    # 10 % of A: 0.01 + 1 / 20 and 0.06 + 1 / 30 are the first below it; half have arrived by 20.
    assert table[["shortcut", "network", "50%", "10%", "5%"]].values.tolist() == [
        ["A", "residual", "10", "20", "30 (1 of 2)"],
        ["B", "residual", "never", "never", "never"],
    ]
    numbers = numeric_steps(collected.runs, steps, ROWS)
    (row,) = numbers[(numbers["shortcut"] == "A") & (numbers["threshold"] == 0.05)].to_dict(
        "records"
    )
    assert (row["median"], row["arrived"], row["n"]) == (30.0, 1, 2)
    assert numbers[numbers["shortcut"] == "B"]["median"].isna().all()


def test_a_net_that_never_gets_there_is_not_drawn(reached):
    _, steps = reached
    (residual,) = convergence_figure(steps, 40).axes  # no plain net, no panel
    labels = [line.get_label() for line in residual.lines]
    assert labels == ["50%", "30%", "20%", "10%"]  # one of three gets to 5 %


def slow(runs, deep, residual=False):
    """The verdict on runs of 20 and 56 layers that reach 10 % at these steps, None for never."""
    errors = {10: 0.0, 20: 0.049, 30: 0.06, 40: 0.07, None: 0.3}
    runs.write({(20, residual): (errors[10],) * len(deep)})
    runs.write({(56, residual): tuple(errors[step] for step in deep)})
    collected = runs.collect()
    steps = convergence(collected.runs, collected.curves)
    return slows_with_depth(collected.runs, steps, residual, Rules(0.9))


def test_a_seed_that_never_arrives_is_slower_than_any_that_does(runs):
    """Once it was left out of the mean, and a net that failed looked fast."""
    found = slow(runs, (None, None, None, None, 20))
    assert found.answer is Answer.YES
    assert found.failed == (4, 0)
    assert "10 steps at 20, mostly never (1 of 5) at 56 layers" in found.text


def test_a_net_of_equal_speed_is_not_slower(runs):
    assert slow(runs, (10, 10, 10, 10, 10)).answer is not Answer.YES


def test_where_nothing_arrives_nothing_is_said(runs):
    runs.write({(20, True): (0.5, 0.5, 0.5), (56, True): (0.6, 0.6, 0.6)})
    collected = runs.collect()
    steps = convergence(collected.runs, collected.curves)
    found = slows_with_depth(collected.runs, steps, True, Rules(0.9))
    assert found.answer is Answer.CANNOT_TELL
    assert found.text.endswith("Cannot tell: no run gets there.")


def test_a_run_that_never_arrives_has_not_failed(runs):
    runs.write({(20, True): (0.05, 0.05, 0.05), (56, True): (0.11, 0.12, 0.11)})
    collected = runs.collect()
    steps = convergence(collected.runs, collected.curves)
    text = slows_with_depth(collected.runs, steps, True, Rules(0.9)).text
    assert "by numbers of runs that never arrive" in text and "fail" not in text
