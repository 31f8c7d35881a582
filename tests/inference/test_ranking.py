"""Rankings, choices on some seeds judged on others, and how many seeds a question needs."""

import math

import numpy as np
import pytest
from scipy import stats

from resx.inference import (
    Answer,
    Arm,
    Reason,
    Rules,
    against_control,
    choose,
    compare,
    rank,
    seeds_for_errors,
    seeds_for_ratio,
)
from resx.inference.ranking import _tukey

RULES = Rules(chance=0.9)
IMAGES = 1437


def with_losses(*losses: float) -> Arm:
    return Arm([0.02] * len(losses), IMAGES, losses)


def settings(seed: int, n: int = 5, **factors: float) -> dict[str, Arm]:
    random = np.random.default_rng(seed)
    return {
        name: with_losses(*(f * np.exp(random.normal(-4, 0.2, n))).tolist())
        for name, f in factors.items()
    }


def test_settings_that_do_not_differ_share_the_first_place():
    equal = {f"s{i}": 1.0 for i in range(10)}
    found = [rank(settings(seed, **equal), RULES) for seed in range(20)]
    assert sum(r.answer is Answer.YES for r in found) <= 3
    assert all(r.order[0] in r.best for r in found)


def test_the_worse_settings_are_left_out_of_the_best():
    ranking = rank(settings(0, a=1.0, b=1.05, c=4.0, d=9.0), RULES)
    assert set(ranking.best) == {"a", "b"}
    assert ranking.answer is Answer.YES
    assert ranking.order[-1] == "d"


def test_settings_of_which_runs_failed_are_set_aside():
    arms = settings(0, a=1.0, b=1.1) | {"c": Arm([0.02, None, 0.9], IMAGES, [0.1, None, 2.3])}
    ranking = rank(arms, RULES)
    assert ranking.failed == {"c": (2, 3)}
    assert "c" not in ranking.order
    lost = {name: Arm([0.9, 0.9], IMAGES, [2.3, 2.3]) for name in "ab"}
    assert rank(lost, RULES).reason is Reason.CHANCE


def test_seeds_without_spread_prove_nothing():
    arms = {"a": with_losses(0.1, 0.1, 0.1), "b": with_losses(0.2, 0.2, 0.2)}
    assert rank(arms, RULES).answer is Answer.CANNOT_TELL
    assert rank({"a": with_losses(0.1), "b": with_losses(0.2)}, RULES).reason is Reason.FEW_SEEDS


def test_the_p_values_of_tukey_are_those_of_scipy():
    samples = [np.array([1.0, 1.2, 1.1]), np.array([1.5, 1.4, 1.9, 1.6]), np.array([2.0, 2.4, 2.1])]
    ours = _tukey(samples, np.array([False, True, True]))
    assert ours[1:] == pytest.approx(stats.tukey_hsd(*samples).pvalue[0][1:])


def test_settings_are_held_against_a_control():
    arms = settings(0, control=1.0, same=1.05, worse=8.0, better=0.1)
    arms["lost"] = Arm([None] * 5, IMAGES, [None] * 5)
    found = against_control(arms, "control", RULES)
    answers = {name: finding.answer for name, finding in found.items()}
    assert answers["worse"] is Answer.YES and answers["better"] is Answer.REVERSED
    assert answers["same"] in (Answer.NO, Answer.CANNOT_TELL)
    assert answers["lost"] is Answer.YES
    assert found["worse"].effect == pytest.approx(8, rel=0.4)


def test_a_setting_is_chosen_on_some_seeds_and_judged_on_others():
    arms = {
        0.01: Arm([0.00, 0.30, 0.30], IMAGES, [0.001, 1.0, 1.0]),
        0.05: Arm([0.10, 0.01, 0.02], IMAGES, [0.3, 0.1, 0.1]),
        0.10: Arm([None, 0.01, 0.01], IMAGES, [None, 0.01, 0.01]),
    }
    choice = choose(arms)
    assert (choice.chosen, choice.at_edge) == (0.01, True)
    assert choice.per_seed[0] == 0.10
    assert np.isnan(choice.judged.finished_errors).sum() == 0
    assert choice.judged.diverged == 1


def test_a_choice_in_the_middle_of_the_grid_is_not_at_its_edge():
    arms = {lr: Arm([e, e, e], IMAGES) for lr, e in ((0.01, 0.1), (0.1, 0.01), (1.0, 0.2))}
    choice = choose(arms)
    assert (choice.chosen, choice.at_edge, choice.per_seed) == (0.1, False, (0.1, 0.1, 0.1))
    with pytest.raises(ValueError, match="seeds"):
        choose({0.1: Arm([0.1], IMAGES)})


def test_a_setting_whose_loss_is_infinite_once_is_not_the_best():
    lucky = Arm([0.0, 0.0, 0.9], IMAGES, [0.001, 0.001, math.inf])
    steady = Arm([0.0, 0.0, 0.0], IMAGES, [0.01, 0.01, 0.01])
    assert choose({0.1: lucky, 0.2: steady}).chosen == 0.2


def test_a_fresh_set_of_the_planned_size_answers():
    random = np.random.default_rng(0)

    def draw(error: float, n: int) -> Arm:
        logits = np.log(error / (1 - error)) + random.normal(0, 0.3, n)
        return Arm((1 / (1 + np.exp(-logits))).tolist(), IMAGES)

    first, second = draw(0.04, 3), draw(0.02, 3)
    seeds = seeds_for_errors(first, second, RULES)
    assert seeds is not None and 3 <= seeds <= 60
    answers = [
        compare(draw(0.04, seeds), draw(0.02, seeds), RULES).answer is Answer.YES for _ in range(40)
    ]
    assert np.mean(answers) >= 0.8


def test_no_number_of_seeds_tells_an_effect_from_the_margin():
    assert seeds_for_ratio([1.5, 1.6, 1.4], [1.0, 1.1, 0.9], RULES) is None
    assert seeds_for_ratio([9.0, 10.0, 11.0], [1.0, 1.1, 0.9], RULES) == 3
    assert seeds_for_errors(Arm([0.1], IMAGES), Arm([0.2], IMAGES), RULES) is None
