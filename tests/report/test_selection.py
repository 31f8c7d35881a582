"""Runs are pooled where they belong together, and told apart by the setting where they do not."""

import pytest
import yaml

from resx.config.schema import StudyConfig
from resx.errors import RequestError
from resx.report.best import best_of, describe_choices
from tests.report.synthetic import DEGRADED


def write_family(runs, name, residual, errors, **settings):
    runs.write({(56, residual): errors}, model__name=name, **settings)


def test_any_runs_are_reported_by_what_they_differ_in(runs):
    """No verdict pools them: each group has its own."""
    runs.write(DEGRADED)
    runs.write_one(20, True, 9, 0.5, recipe__lr=0.3, data__subset=100)
    report = runs.report()
    assert report.selected.rows == ["depth", "data.subset"]
    assert "Rows also differ in recipe.lr: 0.05, 0.3." in report.sentences
    scopes = [(v.scope, v.answer) for v in report.verdicts if v.id == "degradation-plain"]
    assert scopes == [("subset default", "yes")]
    assert not [v for v in report.verdicts if v.id == "ranking"]  # on unlike images


def test_settings_that_change_together_are_one_column(runs):
    """What follows from the others is told in a sentence."""
    runs.write({(20, True): (0.1, 0.2)})
    runs.write({(20, True): (0.1, 0.2)}, recipe__steps=2000, recipe__record_every=50)
    report = runs.report()
    assert report.selected.rows == ["depth", "recipe.steps"]
    assert "Rows also differ in recipe.record_every: 10, 50." in report.sentences
    assert len(report.tables.networks) == 2


def test_a_training_that_goes_with_depth_or_with_an_option_is_not_hidden(runs):
    """Else a depth or a width would be judged by a learning rate."""
    runs.write({(20, True): (0.1, 0.2)}, model__width=8)
    runs.write({(56, True): (0.1, 0.2)}, model__width=16, recipe__lr=0.3)
    assert runs.report().selected.rows == ["depth", "model.width", "recipe.lr"]


def test_families_that_were_trained_differently_are_said_to_be(runs):
    write_family(runs, "resnet", True, (0.1, 0.2))
    write_family(runs, "wide", True, (0.1, 0.2), recipe__lr=0.3)
    report = runs.report()
    assert report.selected.rows == ["depth", "model.name"]
    assert "Rows also differ in recipe.lr: 0.05, 0.3." in report.sentences
    assert not [verdict for verdict in report.verdicts if verdict.id == "ranking"]


def test_a_study_may_vary_the_training_between_its_rows_but_not_within_one(runs):
    write_family(runs, "resnet", True, (0.1, 0.2))
    write_family(runs, "wide", True, (0.1, 0.2), recipe__lr=0.3)
    assert len(runs.report(rows=("depth", "model.name")).tables.networks) == 2
    with pytest.raises(RequestError, match=r"recipe\.lr"):
        runs.report(rows=("depth",))


def test_runs_of_earlier_versions_are_pooled_with_those_of_now(runs):
    """They name the network twice, and lack the settings and options that came later."""
    runs.write({(20, True): (0.1, 0.2), (56, True): (0.3, 0.4)}, model__invented=None)
    earlier = runs.write_one(56, True, 2, 0.5)
    config = yaml.safe_load((earlier / "config.yaml").read_text())
    config["model"] |= {"depth": 56, "residual": True, "block": "basic", "layout": "auto"}
    config["model"]["_target_"] = "resx.models.elsewhere.resnet"
    for group, name in (("data", "colour_noise"), ("data", "shorter_side"), ("recipe", "nesterov")):
        del config[group][name]
    (earlier / "config.yaml").write_text(yaml.safe_dump(config))
    report = runs.report()
    assert report.selected.rows == ["depth"]
    assert report.selected.runs["data.colour_noise"].tolist() == [0.0] * 5
    assert report.verdicts[0].depths == (20, 56)


def test_the_images_themselves_decide_not_where_they_lie(runs):
    runs.write_one(56, True, 0, 0.1, data__root="/here")
    other = runs.write_one(56, True, 1, 0.1, data__root="/there")
    assert len(runs.report().tables.networks) == 1
    summary = (other / "summary.json").read_text()
    (other / "summary.json").write_text(summary.replace('fingerprint": "0"', 'fingerprint": "1"'))
    assert runs.report().selected.rows == ["depth", "fingerprint"]
    with pytest.raises(RequestError, match="fingerprint: 0, 1"):
        runs.report(rows=("depth",))


def test_a_setting_left_to_the_network_is_a_row_called_default(runs):
    for seed in (0, 1):
        runs.write_one(56, True, seed, 0.3, model__width=8)
        runs.write_one(56, True, seed, 0.1)
        runs.write_one(56, False, seed, 0.6)
    (table, *_) = runs.report().tables.gaps.values()
    assert table[["depth", "width", "plain"]].values.tolist() == [
        [56, 8, "missing"],
        [56, "default", "60.00 ± 0.00 (2)"],
    ]


def test_a_study_of_learning_rates_judges_each_net_at_its_best(runs):
    runs.write({(56, False): (0.6, 0.6), (56, True): (0.01, 0.02)}, recipe__lr=0.1)
    runs.write({(56, False): (0.4, 0.5), (56, True): (0.03, 0.04)}, recipe__lr=0.01)
    best, choices = best_of(runs.collect().runs, ["depth", "recipe.lr"], "recipe.lr")
    chosen = {(run["residual"], run["recipe.lr"]) for _, run in best.iterrows()}
    assert chosen == {(False, 0.01), (True, 0.1)}
    assert [choice.at_edge for choice in choices] == [True, True]
    study = StudyConfig(name="s", best_over="recipe.lr")
    report = runs.report(rows=("depth", "recipe.lr"), study=study)
    assert "44.95 % without, 1.42 % with it" in report.verdicts[0].text
    assert (
        "Best lr by training loss (each seed is judged at the value that its other seeds choose):"
        " plain, depth 56: 0.01 (end of the grid); residual, depth 56: 0.1 (end of the grid)."
    ) in report.sentences
    (table, *_) = report.tables.gaps.values()
    assert len(table) == 2  # but the table shows every rate


def test_a_value_at_which_a_run_diverged_is_not_the_best(runs):
    runs.write({(56, False): (0.1,)}, recipe__lr=0.1)
    runs.write_one(56, False, 1, 0.1, status="diverged", recipe__lr=0.1)
    runs.write({(56, False): (0.4, 0.4)}, recipe__lr=0.01)
    best, _ = best_of(runs.collect().runs, ["depth", "recipe.lr"], "recipe.lr")
    assert set(best["recipe.lr"][:1]) == {0.01}


def test_no_seed_is_judged_at_a_value_that_it_helped_to_choose(runs):
    """Seed 0 is lucky at 0.1 and so would choose it for itself: the others choose 0.01."""
    runs.write({(56, True): (0.001, 0.30, 0.31)}, recipe__lr=0.1)
    runs.write({(56, True): (0.20, 0.20, 0.21)}, recipe__lr=0.01)
    best, (choice,) = best_of(runs.collect().runs, ["depth", "recipe.lr"], "recipe.lr")
    assert choice.judged_apart
    assert dict(zip(best["seed"], best["recipe.lr"]))[0] == 0.01


def test_with_too_few_seeds_it_is_said_that_choice_and_judgement_share_them(runs):
    runs.write({(56, True): (0.1,)}, recipe__lr=0.1)
    runs.write({(56, True): (0.2,)}, recipe__lr=0.01)
    best, found = best_of(runs.collect().runs, ["depth", "recipe.lr"], "recipe.lr")
    assert list(best["recipe.lr"]) == [0.1]
    assert "chosen on the runs that are judged" in describe_choices(found, "recipe.lr")


@pytest.mark.parametrize("seeds", [1, 2])
def test_the_best_may_be_a_name_and_names_have_no_ends(runs, seeds):
    """Once a `ValueError`; of few seeds the typical loss chooses, as it does of many."""
    losses = {"A": (1e-4, 1.0), "B": (0.3, 0.3), "C": (0.4, 0.4)}
    for shortcut, of_shortcut in losses.items():
        own = {(56, True): of_shortcut[:seeds]}
        runs.write({(56, True): (0.1,) * seeds}, losses=own, model__shortcut=shortcut)
    _, found = best_of(runs.collect().runs, ["depth", "model.shortcut"], "model.shortcut")
    assert describe_choices(found, "model.shortcut").endswith("residual, depth 56: A.")


def test_a_value_that_one_seed_has_tried_is_not_chosen_for_all(runs):
    """Of a study that is still running: once the three seeds of 0.1 gave way to one run."""
    runs.write({(56, True): (0.1, 0.11, 0.12)}, recipe__lr=0.1)
    runs.write({(56, True): (0.3, 0.31, 0.32)}, recipe__lr=0.2)
    runs.write({(56, True): (0.01,)}, recipe__lr=0.4)
    best, (choice,) = best_of(runs.collect().runs, ["depth", "recipe.lr"], "recipe.lr")
    assert (choice.value, choice.judged_apart) == (0.1, True)
    assert list(best["recipe.lr"]) == [0.1, 0.1, 0.1]


def test_runs_that_cannot_be_read_are_no_report(runs):
    directory = runs.write_one(56, False, 0, 0.25)
    (directory / "config.yaml").write_text("depth: [")
    with pytest.raises(RequestError, match="no run can be read"):
        runs.report()
