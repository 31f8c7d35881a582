"""Which of several conditions decides a verdict, and that its effect is the one that is shown."""

import pandas as pd
import pytest

from resx.analyses.gradient_flow import _decisive, _verdict
from resx.analyses.identity import Compared
from resx.analyses.identity import _decisive as identity_decisive
from resx.analyses.identity import _verdict as identity_verdict
from resx.analyses.parts.facts import at_first_step
from resx.analyses.shattering import _contrast
from resx.inference import Answer, Finding, Measure, Reason
from tests.analyses.test_verdicts import CONFIRMED, FALSE, LIMITED, NOT, OPEN, network

# Gradient flow: (norm, step, depth) -> (plain, residual).

UP, LEVEL, DOWN, UNKNOWN = Answer.YES, Answer.NO, Answer.REVERSED, Answer.CANNOT_TELL


@pytest.mark.parametrize(
    ("conditions", "verdict", "decisive"),
    [
        ({"batch": (UP, UP), "none": (DOWN, UP)}, LIMITED, "none"),
        ({"batch": (UP, UP), "none": (LEVEL, UP)}, FALSE, "batch"),
        ({"none": (DOWN, LEVEL)}, CONFIRMED, "none"),
        ({"batch": (UP, UP), "none": (DOWN, DOWN)}, NOT, "none"),
        ({"batch": (UP, UP), "none": (DOWN, UNKNOWN)}, OPEN, "none"),
        ({"batch": (UP, UNKNOWN)}, FALSE, "batch"),  # nothing vanishes, whatever the twin does
        ({"batch": (UP, UP), "none": (UNKNOWN, UP)}, OPEN, "none"),
        ({"batch": (UNKNOWN, UP), "none": (DOWN, UP)}, LIMITED, "none"),
        ({}, OPEN, None),
    ],
)
def test_the_condition_that_decides_is_the_one_that_is_shown(conditions, verdict, decisive):
    by_key = {(norm, 0, 56, False): pair for norm, pair in conditions.items()}
    assert _verdict(by_key) is verdict
    key = _decisive(by_key)
    assert (key[0] if key else None) == decisive


# Identity: plain slower? worse? with norm and without.


def answered(answer, effect=1.0):
    return Finding(answer, Measure.LOSS, 1.5, Reason.INTERVAL, (3, 3), effect, (effect, effect))


@pytest.mark.parametrize(
    ("with_norm", "without", "verdict", "shown"),
    [
        ((UP, UP), (UP, UP), CONFIRMED, (2.0, "final error in learning the identity, as it is")),
        ((UNKNOWN, UNKNOWN), (UNKNOWN, UP), LIMITED, (4.0, "without norm")),
        ((UNKNOWN, UNKNOWN), (UP, LEVEL), LIMITED, (3.0, "steps")),
        ((LEVEL, LEVEL), (LEVEL, DOWN), NOT, (2.0, "as it is")),
        ((UNKNOWN, LEVEL), (LEVEL, LEVEL), OPEN, (2.0, "as it is")),
    ],
)
def test_the_identity_is_judged_by_four_questions(with_norm, without, verdict, shown):
    """Effects: 1 and 3 of the steps, 2 and 4 of the errors."""
    found = {
        True: Compared(answered(with_norm[0], 1.0), answered(with_norm[1], 2.0)),
        False: Compared(answered(without[0], 3.0), answered(without[1], 4.0)),
    }
    assert identity_verdict(found) is verdict
    finding, of_what = identity_decisive(found)
    assert finding.effect == shown[0]
    assert shown[1] in of_what


def test_networks_whose_steps_differ_are_compared_at_the_first_of_each():
    rows = pd.DataFrame(
        network(residual, seed, step=step)
        | {"correlation": 0.5 + 0.3 * residual + 0.01 * seed, "skip": "both"}
        for residual, steps in ((True, (100, 200)), (False, (90, 180)))
        for seed in range(3)
        for step in steps
    )
    first = at_first_step(rows)
    assert set(first[first["residual"]]["step"]) == {100}
    assert set(first[~first["residual"]]["step"]) == {90}
    assert _contrast(first).finding.answer is Answer.YES
