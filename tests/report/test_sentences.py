"""Sentences state the reason of a finding, and no other."""

from dataclasses import replace

import pytest

from resx.inference import Answer, Arm, Finding, Measure, Reason, Rules, compare
from resx.report.sentences import evidence, level, why_not
from resx.report.twins import gap_begins
from resx.report.yardstick import Yardstick

RULES = Rules(chance=0.9)
LOST = Arm([None] * 5 + [0.02] * 5, 50_000)
OPEN = Finding(Answer.CANNOT_TELL, Measure.ERROR, 0.005, Reason.INTERVAL, (5, 5))


def near(error: float, seeds: int = 5) -> Arm:
    return Arm([error * (1 + 0.001 * seed) for seed in range(seeds)], 50_000)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Reason.CHANCE, "of the runs of both networks diverged or stayed at chance"),
        (Reason.UNTRAINED, "of the runs of a network diverged or stayed at chance"),
        (Reason.DIVERGED, "runs diverged"),
        (Reason.NO_NUMBERS, "no run has a finite number"),
        (Reason.FAILURES, "too few seeds to tell failures from luck"),
        (Reason.WORST_RANK, "ranks, in which failed runs are the worst, do not tell"),
        (Reason.FEW_SEEDS, "with so few seeds"),
        (Reason.INTERVAL, "the interval is too wide"),
    ],
)
def test_why_a_question_stays_open_is_the_reason_of_the_finding(reason, words):
    assert words in why_not(replace(OPEN, reason=reason))


def test_that_half_of_the_runs_diverged_is_not_called_chance():
    """Once "neither network has learned more than chance", of 1 % and a divergence."""
    finding = compare(Arm([0.01, None], 1437), Arm([0.012, None], 1437), RULES)
    assert "diverged or stayed at chance" in why_not(finding)


def test_a_p_of_drawn_splits_is_not_called_exact():
    """At 10 against 10 seeds it read "exact p = 1" and "too few seeds"."""
    few, many = (Arm([None, *[0.02] * (n - 1)], 50_000) for n in (6, 10))
    assert "; exact p = " in evidence(compare(few, few, RULES))
    finding = compare(many, many, RULES)
    assert "; p = " in evidence(finding)
    assert "too few seeds" not in why_not(finding)


def test_where_most_losses_are_infinite_those_of_the_others_are_not_typical():
    losses = [0.1, float("inf"), float("inf")]
    assert level(Arm([0.1] * 3, 1437, losses), Measure.LOSS) == "no finite loss in 2 of 3 runs"


@pytest.mark.parametrize(
    ("twins", "alone", "words", "ending"),
    [
        ({20, 56}, set(), "From 20 layers on: clean training error 21.04 % without", "seeds)."),
        (
            *({20}, {56}, "At 20 layers: clean training error"),
            " Asked at 20 layers; without twins: 56 layers.",
        ),
        (
            *({20, 56}, {32, 44}, "At 20 and 56 layers; at 20: clean training error"),
            " Asked at 20 and 56 layers; without twins: 32 and 44 layers.",
        ),
        ({20, 56}, {8}, "From 20 layers on: clean training error 21.04 % without", "seeds)."),
    ],
)
def test_a_gap_is_said_of_depths_with_twins_alone(twins, alone, words, ending):
    """Once "From 20 layers on" where 56 had no residual net."""
    arms = {False: {d: near(0.21) for d in twins | alone}, True: {d: near(0.02) for d in twins}}
    text = gap_begins(arms, Yardstick(RULES)).text.split("? ")[1]
    assert text.startswith(words) and text.endswith(ending)
