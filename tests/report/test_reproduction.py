"""Runs at the full protocol are judged by the bands of public reproductions, others never."""

import pytest

ERRORS = (0.128, 0.131, 0.134, 0.130, 0.132)


def test_a_faithful_cell_is_judged_in_a_sentence_and_as_data(runs, faithful):
    faithful({(56, False): ERRORS})
    (found,) = runs.report().reproductions
    assert found.text == (
        "plain-56 13.1 ± 0.2 (5): inside the band of public reproductions, 11.9 to 13.3;"
        " paper 13.23."
    )
    assert found.text in runs.report().sentences
    assert found.to_dict()["answer"] == "inside"


@pytest.mark.parametrize(
    ("error", "answer"),
    [(0.118, "below"), (0.1186, "inside"), (0.1334, "inside"), (0.1336, "above")],
)
def test_below_inside_and_above_are_of_the_figures_as_printed(runs, faithful, error, answer):
    faithful({(56, False): (error,)})
    (found,) = runs.report().reproductions
    assert found.answer == answer
    assert found.text.startswith(f"plain-56 {100 * error:.1f} (1): {answer} the band")


@pytest.mark.parametrize(
    "change", [{"recipe__steps": 400}, {"images": 5_000}, {"recipe__lr": 0.2}, {"model__width": 8}]
)
def test_runs_that_depart_are_not_judged(runs, faithful, change):
    faithful({(56, False): ERRORS}, **change)
    assert runs.report().reproductions == []


def test_resnet_110_is_held_against_the_mean_of_five(runs, faithful):
    faithful({(110, True): (0.065, 0.066)})
    (found,) = runs.report().reproductions
    assert found.text.endswith("band of public reproductions, 5.9 to 7.0; paper 6.61 ± 0.16.")


def test_a_diverged_run_is_counted_and_a_cell_of_nothing_else_is_silent(runs, faithful):
    faithful({(56, False): ERRORS[:2]})
    faithful({(56, False): (0.9,)}, status="diverged", first_seed=2)
    (found,) = runs.report().reproductions
    assert "(2, 1 diverged)" in found.text
