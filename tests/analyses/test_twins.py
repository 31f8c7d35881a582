"""A claim is judged where twins can be compared, by the rules for a few seeds."""

import pandas as pd
import pytest

from resx.analyses.analysis import ClaimVerdict
from resx.analyses.parts.seeds import (
    error_difference,
    mean,
    mean_difference,
    mean_factor,
    ratio,
)
from resx.analyses.parts.twins import compare_twins, deciding, judge, judge_all
from resx.inference import Answer


def table(values, learned=True, step=100):
    """`values`: depth -> (of plain seeds, of residual seeds)."""
    return pd.DataFrame(
        {"family": "resnet", "norm": "batch", "depth": depth, "residual": bool(residual)}
        | {"seed": seed, "step": step, "value": v, "learned": True}
        | ({} if learned or residual else {"learned": False})
        for depth, arms in values.items()
        for residual, arm in enumerate(arms)
        for seed, v in enumerate(arm)
    )


FAR, NEAR = ([9.0, 10.0, 11.0], [1.0, 1.1, 0.9]), ([1.0, 1.01, 0.99], [1.0, 1.02, 0.98])


def test_the_deepest_pair_that_has_learned_decides():
    shallow = compare_twins(table({8: NEAR, 20: FAR}), "value", ratio(1.5))
    assert judge(shallow) is ClaimVerdict.LIMITED  # not at every depth
    assert judge(shallow[1:]) is ClaimVerdict.CONFIRMED
    assert deciding(shallow).finding.effect == pytest.approx(10, rel=0.01)
    failed = compare_twins(table({56: FAR}, learned=False), "value", ratio(1.5))
    assert failed[0].finding.answer is Answer.YES
    assert judge(failed) is ClaimVerdict.CANNOT_TELL
    assert deciding(shallow + failed).depth == 20


def test_networks_at_their_start_are_comparable_where_training_is_not_asked_for():
    fresh = table({56: FAR}, learned=False, step=0)
    assert judge(compare_twins(fresh, "value", ratio(1.5))) is ClaimVerdict.CANNOT_TELL
    assert judge(compare_twins(fresh, "value", ratio(1.5), untrained=True)).startswith("confirmed")


def test_level_and_reversed_do_not_confirm_and_one_seed_cannot_tell():
    for arms in (NEAR, FAR[::-1]):
        assert judge(compare_twins(table({8: arms}), "value", ratio(1.5))) == "not confirmed"
    alone = compare_twins(table({8: ([9.0], [1.0])}), "value", ratio(1.5))
    assert judge(alone) is ClaimVerdict.CANNOT_TELL
    assert alone[0].finding.effect == pytest.approx(9)


def test_errors_are_compared_as_differences_with_their_resolution():
    arms = {20: ([0.9, 0.88, 0.91], [0.1, 0.12, 0.1])}
    (found,) = compare_twins(table(arms), "value", error_difference(360, 0.01))
    low, high = found.finding.interval
    assert low < 0.79 < high
    assert found.finding.answer is Answer.YES


def test_several_steps_of_a_run_are_no_more_seeds():
    early, late = table({8: FAR}, step=10), table({8: NEAR}, step=100)
    (found,) = compare_twins(pd.concat([early, late]), "value", ratio(1.5))
    assert found.finding.n == (3, 3)
    assert found.finding.answer is Answer.NO


@pytest.mark.parametrize("name", ["family", "norm"])
def test_networks_that_depth_does_not_tell_apart_are_refused(name):
    mixed = pd.concat([table({8: FAR}), table({8: FAR}).assign(**{name: "other"})])
    with pytest.raises(ValueError, match=f"^{name}: networks of several"):
        compare_twins(mixed, "value", ratio(1.5))


def test_where_one_yes_is_enough_each_is_answered_at_its_share():
    arms = [2.4, 3.0, 3.6], [1.0, 1.2, 1.4]
    alone, shared = (ratio(1.5, questions=n)(*arms) for n in (1, 4))
    assert (alone.answer, shared.answer) == (Answer.YES, Answer.CANNOT_TELL)
    assert alone.interval == shared.interval


@pytest.mark.parametrize("seeds", [2, 3])
def test_of_two_seeds_nothing_but_level_is_said(seeds):
    high, low = [9.0, 9.1, 9.05][:seeds], [0.1, 0.11, 0.1][:seeds]
    told = Answer.CANNOT_TELL if seeds == 2 else Answer.YES
    assert mean_difference(0.5)(high, low).answer is told
    assert mean(high, 0.5).answer is told
    assert mean_factor(high, 1.1).answer is told
    assert mean_difference(0.5)(low, low).answer is Answer.NO


def test_of_several_measures_all_confirm_and_one_against_refutes():
    yes, no, against = (
        compare_twins(table({8: arms}), "value", ratio(1.5)) for arms in (FAR, NEAR, FAR[::-1])
    )
    assert judge_all([yes, yes]) is ClaimVerdict.CONFIRMED
    assert judge_all([yes, no]) is ClaimVerdict.LIMITED
    assert judge_all([yes, against]) is ClaimVerdict.NOT_CONFIRMED
    assert judge_all([no, no]) is ClaimVerdict.NOT_CONFIRMED
    unknown = compare_twins(table({8: ([9.0], [1.0])}), "value", ratio(1.5))
    assert judge_all([no, unknown]) is ClaimVerdict.CANNOT_TELL


def test_of_numbers_that_are_not_positive_no_ratio_is_formed():
    (found,) = compare_twins(table({8: ([-1.0, 2.0, 3.0], [1.0, 2.0, 3.0])}), "value", ratio(1.5))
    assert found.finding.answer is Answer.CANNOT_TELL
    assert found.finding.effect is None
