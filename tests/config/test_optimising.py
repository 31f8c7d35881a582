"""Sweepers that optimise get a run's value, and the same request finds the same runs."""

import json
from importlib.metadata import version

import pytest
import yaml

pytest.importorskip("hydra_plugins.hydra_optuna_sweeper", reason="hydra-optuna-sweeper is missing")
OPTUNA = ("train", "-m", "hydra/sweeper=optuna")

# Optuna 2, which the plugin wants, uses what SQLAlchemy and alembic are giving up.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def summaries(tmp_path):
    paths = sorted(tmp_path.glob("outputs/runs/*/*/*/summary.json"))
    return [json.loads(path.read_text()) for path in paths]


def best(tmp_path):
    *_, last = sorted(tmp_path.glob("outputs/multirun/*/*/optimization_results.yaml"))
    return yaml.safe_load(last.read_text())


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["train_clean/loss", "train/error"])
def test_the_best_trial_is_the_run_of_the_least_value(resx, tiny, tmp_path, objective):
    trials = ("recipe.lr=interval(0.01,0.5)", "hydra.sweeper.n_trials=3", f"objective={objective}")
    answer = resx(*OPTUNA, *tiny, *trials)
    assert (answer.code, answer.err.splitlines()[-1]) == (0, "3 of 3 jobs done")
    split, measure = objective.split("/")
    values = [summary["final"][split][measure] for summary in summaries(tmp_path)]
    assert len(values) == 3
    assert best(tmp_path)["best_value"] == min(values)


@pytest.mark.slow
def test_trials_that_are_finished_are_found_again(resx, tiny, tmp_path):
    trials = ("recipe.lr=tag(log,interval(0.01,0.5))", "hydra.sweeper.n_trials=2")
    resx(*OPTUNA, *tiny, *trials)
    first, before = best(tmp_path), summaries(tmp_path)
    resx(*OPTUNA, *tiny, *trials)
    assert summaries(tmp_path) == before
    assert best(tmp_path) == first
    resx(*OPTUNA, *tiny, *trials, "hydra.sweeper.sampler.seed=1")
    assert len(summaries(tmp_path)) == 4


def test_a_run_that_diverges_is_infinitely_bad(resx, tiny, tmp_path):
    grid = ("hydra/sweeper/sampler=grid", "recipe.lr=0.1,1e30", "recipe.warmup=none")
    answer = resx(*OPTUNA, *tiny, *grid)
    assert (answer.code, answer.err.splitlines()[-1]) == (0, "2 of 2 jobs done")
    assert {summary["status"] for summary in summaries(tmp_path)} == {"finished", "diverged"}
    assert best(tmp_path)["best_params"] == {"recipe.lr": 0.1}


def test_trials_that_all_fail_are_one_line(resx, tiny):
    answer = resx(*OPTUNA, *tiny[1:], "depth=33,35", "hydra.sweeper.n_trials=2")
    assert answer.code == 2
    assert answer.err.splitlines()[-1].endswith("every trial failed, so that none is the best")


def test_a_database_that_optuna_cannot_use_is_refused(resx, tiny, tmp_path):
    if version("sqlalchemy") < "2":
        pytest.skip("this SQLAlchemy is old enough")
    answer = resx(*OPTUNA, *tiny, "hydra.sweeper.storage=sqlite:///trials.db")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "pip install 'sqlalchemy<2' 'alembic<1.14'" in answer.err
    assert not list(tmp_path.iterdir())
