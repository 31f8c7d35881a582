"""Settings are ranked by log loss; what cannot be told from the best stays with it."""

import json
import math

import pytest

from resx.config.schema import StudyConfig
from resx.inference import Answer
from resx.report.ranking import _better_than_control, ranking
from resx.report.yardstick import yardstick_of

SETTINGS = ["model.shortcut"]


def rank(runs, control=None):
    collected = runs.collect()
    judged, yardstick = yardstick_of(collected.runs, collected.curves, StudyConfig(name="test"))
    return ranking(judged, SETTINGS, yardstick, control)


def write_shortcuts(runs, **errors):
    for shortcut, values in errors.items():
        runs.write({(56, True): values}, model__shortcut=shortcut)


def test_what_is_worse_than_the_best_is_named_and_so_is_what_fails(runs):
    write_shortcuts(runs, A=(0.020, 0.021, 0.022), B=(0.10, 0.12, 0.11), C=(0.5, 0.4))
    runs.write_one(56, True, 2, 0.5, status="diverged", model__shortcut="C")
    verdict = rank(runs)
    assert verdict.answer is Answer.YES
    assert verdict.text.startswith(
        "Which trains best at 56 layers? By clean training loss shortcut A (0.042); worse: "
        "shortcut B (5.23 times, p ="
    )
    assert verdict.text.endswith("(3 seeds); 1 of 3 runs with shortcut C failed.")
    assert verdict.depths == (56,)


def test_equal_settings_are_not_told_apart(runs):
    """Once the best of them was held against the worst, chosen after looking."""
    errors = {name: (0.02 + i * 1e-4, 0.021, 0.022 - i * 1e-4) for i, name in enumerate("ABCDEFGH")}
    write_shortcuts(runs, **errors)
    verdict = rank(runs)
    assert verdict.answer is Answer.CANNOT_TELL
    assert "Cannot tell them apart by clean training loss (3 seeds): shortcut" in verdict.text


def test_settings_that_all_fail_are_no_ranking(runs):
    write_shortcuts(runs, A=(0.9, 0.9), B=(0.9, 0.9))
    verdict = rank(runs)
    assert verdict.answer is Answer.CANNOT_TELL
    assert "in every setting some run failed; 2 of 2 runs with shortcut A failed" in verdict.text


def test_a_single_setting_that_trains_is_not_said_to_be_like_the_others(runs):
    """Once "Cannot tell them apart", of one setting."""
    write_shortcuts(runs, A=(0.02, 0.021, 0.022), B=(0.9, 0.9, 0.9))
    verdict = rank(runs)
    assert verdict.answer is Answer.CANNOT_TELL
    assert "Cannot tell: only shortcut A (0.042) has losses and no failed run" in verdict.text
    assert verdict.text.endswith("; 3 of 3 runs with shortcut B failed.")


def test_a_setting_without_finite_losses_is_set_aside_and_named(runs):
    """Once it vanished, or "in every setting some run failed"."""
    errors = {(56, True): (0.02, 0.021, 0.022)}
    for shortcut, loss in (("A", 0.1), ("B", math.nan), ("C", 0.2)):
        losses = {(56, True): (loss, 1.1 * loss, 0.9 * loss)}
        runs.write(errors, losses=losses, model__shortcut=shortcut)
    assert rank(runs).text.endswith("; without a finite loss in every run: shortcut B.")
    beside = rank(runs, {"model.shortcut": "B"})
    assert beside.answer is Answer.CANNOT_TELL
    assert beside.text.startswith("Beside shortcut B (no finite loss at 56 layers")


def test_a_setting_of_one_seed_is_set_aside_and_keeps_no_other_from_an_answer(runs):
    write_shortcuts(runs, A=(0.02, 0.021, 0.022), B=(0.2, 0.21, 0.22), C=(0.02,))
    verdict = rank(runs)
    assert verdict.answer is Answer.YES
    assert verdict.text.endswith("; of one seed: shortcut C.")


def test_one_seed_of_each_is_no_ranking_but_an_order(runs):
    write_shortcuts(runs, A=(0.02,), B=(0.2,))
    assert "Cannot tell them apart by clean training loss (1 seed): shortcut A" in rank(runs).text


def test_of_two_seeds_nothing_is_said_to_be_worse(runs):
    write_shortcuts(runs, A=(0.02, 0.0204), B=(0.2, 0.204))
    assert rank(runs).answer is Answer.CANNOT_TELL


def test_unequally_many_seeds_are_said_so(runs):
    write_shortcuts(runs, A=(0.02, 0.021, 0.022), B=(0.1, 0.11))
    assert "(2 and 3 seeds)" in rank(runs).text
    assert "; 2 and 3 seeds):" in rank(runs, {"model.shortcut": "A"}).text


def test_level_beside_a_control_needs_that_all_are(runs):
    """Once "no" where one setting is level and another cannot be told."""
    narrow = (0.10, 0.101, 0.102, 0.1, 0.101)
    write_shortcuts(runs, A=narrow, B=narrow, C=narrow[:4])
    runs.write_one(56, True, 4, 0.1, status="diverged", model__shortcut="C")
    verdict = rank(runs, {"model.shortcut": "A"})
    assert "level: shortcut B" in verdict.text
    assert "cannot tell: shortcut C" in verdict.text
    assert verdict.answer is Answer.CANNOT_TELL


def test_a_control_without_runs_is_said_so(runs):
    write_shortcuts(runs, A=(0.020, 0.021, 0.022), B=(0.10, 0.12, 0.11))
    verdict = rank(runs, {"model.shortcut": "C"})
    assert verdict.text.startswith("Which trains best")
    assert verdict.text.endswith(" control (shortcut C) has no runs to compare at 56 layers.")


@pytest.mark.parametrize("control", ["C", "D"])
def test_a_setting_that_cannot_be_judged_is_named_and_is_no_control(runs, control):
    """C has runs of the shallower depth only, D none with its clean error; once a `KeyError`."""
    for depth in (20, 56):
        for shortcut, error in (("A", 0.020), ("B", 0.10), ("D", 0.05)):
            runs.write({(depth, True): (error, 1.1 * error)}, model__shortcut=shortcut)
    for path in runs.outputs.rglob("*-model__shortcutD0/summary.json"):
        summary = json.loads(path.read_text())
        for scores in (summary["final"], summary["last"]):
            del scores["train_clean"]
        path.write_text(json.dumps(summary))
    runs.write({(20, True): (0.3, 0.3)}, model__shortcut="C")
    aside = "Left out, without a clean training error at 56 layers: shortcut C, shortcut D."
    assert aside in rank(runs).text
    assert aside in rank(runs, {"model.shortcut": "A"}).text
    text = rank(runs, {"model.shortcut": control}).text
    ending = f"The study's control (shortcut {control}) has no runs to compare at 56 layers."
    assert text.endswith(f"{aside} {ending}")


def test_what_cannot_be_told_may_be_better_than_the_control():
    assert _better_than_control({Answer.YES, Answer.CANNOT_TELL}) is Answer.CANNOT_TELL
    assert _better_than_control({Answer.YES, Answer.NO}) is Answer.REVERSED
    assert _better_than_control({Answer.REVERSED, Answer.CANNOT_TELL}) is Answer.YES


def test_settings_at_the_floor_of_error_are_ranked_by_their_loss(runs):
    errors = {(56, True): (0.0, 0.0, 0.0007)}
    for shortcut, loss in (("A", 0.001), ("B", 0.01)):
        losses = {(56, True): (loss, 1.1 * loss, 0.9 * loss)}
        runs.write(errors, losses=losses, model__shortcut=shortcut)
    assert "By clean training loss (all errors are at the floor) shortcut A" in rank(runs).text
    assert "worse: shortcut B (10 times" in rank(runs).text


def test_one_seed_ranks_nothing(runs):
    write_shortcuts(runs, A=(0.1,), B=(0.2,))
    assert rank(runs).answer is Answer.CANNOT_TELL


def test_one_setting_is_not_ranked(runs):
    write_shortcuts(runs, A=(0.1, 0.2))
    assert rank(runs) is None


@pytest.mark.parametrize(("control", "answer"), [("A", Answer.REVERSED), ("B", Answer.YES)])
def test_beside_a_control_every_setting_is_better_worse_or_level(runs, control, answer):
    write_shortcuts(runs, A=(0.020, 0.021, 0.022), B=(0.10, 0.12, 0.11))
    verdict = rank(runs, {"model.shortcut": control})
    assert verdict.answer is answer
    word = "worse: shortcut B (5.23 times" if control == "A" else "better: shortcut A (0.191 times"
    assert verdict.text.startswith(f"Beside shortcut {control} (")
    assert word in verdict.text
