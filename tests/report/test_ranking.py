"""Variants are ranked by what tells them apart."""

import pytest

from resx.report.ranking import ranking
from resx.report.verdict import Answer

SETTINGS = ["model.shortcut"]


def write_shortcuts(runs, **errors):
    for shortcut, values in errors.items():
        runs.write({(56, True): values}, model__shortcut=shortcut)


def test_the_best_and_the_worst_are_named_and_so_are_those_that_diverged(runs):
    write_shortcuts(runs, A=(0.02, 0.03), B=(0.10, 0.12), C=(0.5,))
    runs.write_one(56, True, 1, 0.5, status="diverged", model__shortcut="C")
    verdict = ranking(runs.collect().runs, SETTINGS)
    assert verdict.text == (
        "Which trains best at 56 layers? By clean training error: 2.50 % with shortcut A, "
        "11.00 % with shortcut B; beyond the 95 % interval of 2 seeds. Diverged: shortcut C."
    )
    assert (verdict.answer, verdict.depths, verdict.n) == (Answer.YES, (56,), 2)
    assert verdict.effect == pytest.approx(0.085)


def test_settings_that_all_fail_alike_are_called_alike(runs):
    write_shortcuts(runs, A=(0.9, 0.9), B=(0.9, 0.9))
    verdict = ranking(runs.collect().runs, SETTINGS)
    assert verdict.text == (
        "Which trains best at 56 layers? All are alike: 90.00 % clean training error."
    )
    assert verdict.answer is Answer.NO


def test_errors_of_a_few_images_are_ranked_by_their_loss(runs):
    write_shortcuts(runs, A=(0.001, 0.002), B=(0.002, 0.003))
    verdict = ranking(runs.collect().runs, SETTINGS)
    assert "By clean training loss (all errors are below half a point): 0.0030 with" in verdict.text
    assert verdict.measure == "train_clean_loss"


def test_one_seed_ranks_nothing_beyond_doubt(runs):
    write_shortcuts(runs, A=(0.1,), B=(0.2,))
    verdict = ranking(runs.collect().runs, SETTINGS)
    assert verdict.text.endswith("one seed, so no interval.")
    assert verdict.answer is Answer.CANNOT_TELL


def test_one_setting_is_not_ranked(runs):
    write_shortcuts(runs, A=(0.1, 0.2))
    assert ranking(runs.collect().runs, SETTINGS) is None
    runs.write_one(56, True, 0, 0.9, status="diverged", model__shortcut="B")
    verdict = ranking(runs.collect().runs, SETTINGS)
    assert (verdict.text, verdict.answer) == ("Diverged: shortcut B.", Answer.CANNOT_TELL)
