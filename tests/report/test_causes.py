"""Over-fitting and optimisation: each row is a sentence that once said more than was shown."""

import pandas as pd
import pytest

from resx.inference import Answer, Rules
from resx.report.causes import cause
from resx.report.yardstick import EARLY_ERROR, EARLY_LOSS, Yardstick

JUDGED = Yardstick(Rules(chance=0.9))
Errors = tuple[float | None, ...]


def runs(*networks: tuple[int, Errors, Errors]) -> pd.DataFrame:
    """Of each depth its training and test errors; None is a run that diverged."""
    rows = [
        {
            **{"depth": depth, "seed": seed, "images": 50_000, "test_images": 50_000},
            **{"train_clean_error": error, "train_clean_loss": error},
            **{"test_error": tested, "test_loss": tested},
            "status": "diverged" if error is None else "finished",
        }
        for depth, train, test in networks
        for seed, (error, tested) in enumerate(zip(train, test))
    ]
    return pd.DataFrame(rows).astype({"train_clean_error": float, "test_error": float})


def near(error: float) -> Errors:
    return tuple(error * (1 + 0.001 * seed) for seed in range(5))


LOST = (*near(0.02)[:4], None)
SCATTER = (0.2, 0.4, 0.3, 0.25, 0.5)
BOTH = "Both, training error and over-fitting grow"
CASES = {
    "both": (near(0.21), near(0.41), Answer.BOTH, "error", BOTH, "5 seeds"),
    "optimisation": (near(0.21), near(0.22), Answer.YES, "error", "Optimisation from", "5 seeds"),
    "untested": (
        *(near(0.21), SCATTER, Answer.YES, "error"),
        "Optimisation from plain-20 to plain-56; whether over-fitting grows too cannot be told:",
        "the interval is too wide to tell",
    ),
    "over-fitting": (
        *(near(0.02), near(0.14), Answer.REVERSED, "test minus train"),
        *("Over-fitting grows from", "5 seeds"),
    ),
    "level": (near(0.02), near(0.03), Answer.NO, "error", "Neither grows", "5 seeds"),
    "falls": (near(0.005), near(0.015), Answer.NO, "test minus train", "Neither", "5 seeds"),
    "diverged": (
        *(LOST, LOST, Answer.CANNOT_TELL, "test minus train", "Cannot tell"),
        "; 1 of 5 plain-56 and 0 of 5 plain-20 runs failed (diverged or at chance); runs diverged,"
        " and an interval of the others would not count them",
    ),
}


@pytest.mark.parametrize(
    ("train", "test", "answer", "measure", "opening", "ending"), CASES.values(), ids=CASES
)
def test_a_cause_is_what_was_shown(train, test, answer, measure, opening, ending):
    """The data beside an answer are those of the question which decided it."""
    table = runs((20, near(0.02), near(0.03)), (56, train, test))
    found = cause(table, residual=False, yardstick=JUDGED)
    assert (found.answer, found.measure) == (answer, measure)
    assert found.text.startswith(f"Over-fitting or optimisation? {opening}")
    assert found.text.endswith(f"{ending}.")


@pytest.mark.parametrize(
    ("train", "test", "answer"),
    [(near(0.21), near(0.41), Answer.YES), (LOST, LOST, Answer.CANNOT_TELL)],
)
def test_whether_a_residual_net_over_fits_is_not_asked_of_survivors(train, test, answer):
    table = runs((20, near(0.02), near(0.03)), (56, train, test))
    assert cause(table, residual=True, yardstick=JUDGED).answer is answer


def test_a_study_that_judges_early_is_asked_for_its_cause_at_the_end():
    """Once the training error of an early step was taken from the last step's test error."""
    table = runs((20, near(0.02), near(0.03)), (56, near(0.02), near(0.03)))
    table = table.assign(**{EARLY_ERROR.column: 0.5, EARLY_LOSS.column: 1.0})
    early = Yardstick(JUDGED.rules, EARLY_ERROR, EARLY_LOSS, "early error", images=1280)
    found = cause(table, residual=False, yardstick=early)
    assert "Neither grows from plain-20 to plain-56: clean training error from 2.00 %" in found.text


@pytest.mark.parametrize("case", CASES)
def test_a_study_that_judges_by_loss_is_asked_for_its_cause_by_errors(case):
    """Once losses decided that errors which rose by 20 points were level."""
    train, test, answer, measure, *_ = CASES[case]
    table = runs((20, near(0.02), near(0.03)), (56, train, test))
    by_loss = Yardstick(Rules(chance=0.9, by_loss=True))
    found = cause(table, residual=False, yardstick=by_loss)
    assert (found.answer, found.measure) == (answer, measure)
