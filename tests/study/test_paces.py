"""A forecast learns from runs that are there, of whatever study."""

from dataclasses import replace

import pytest

from resx.config.settings import to_dict
from resx.store.store import Store
from resx.store.summary import Environment, Status, Summary
from resx.study.grid import Job
from resx.study.paces import Pace, kind_of, paces

HERE = Environment(threads=2, hardware="a processor", capability="AVX2")


@pytest.fixture
def train(configure, tmp_path):
    """As if a run had been trained in ten seconds."""

    def job(*settings, status=Status.FINISHED, here=HERE):
        config = configure("train", f"outputs={tmp_path}", *settings)
        run = Store(config.outputs).run(config)
        run.directory.mkdir(parents=True)
        run.write_config(to_dict(config))
        run.records_path.write_text("")
        summary = Summary(status=status, seconds=10.0, step=200, device="cpu", environment=here)
        run.write_summary(summary)
        return Job([], config, run)

    return job


@pytest.fixture
def wanted(configure, tmp_path):
    config = configure("train", f"outputs={tmp_path}", "depth=8", "seed=7", "recipe.steps=50")
    return Job([], config, Store(config.outputs).run(config))


def test_seconds_a_step_are_learned_from_another_studys_runs(train, wanted):
    assert paces([wanted]) == {}
    train("depth=8", "recipe.steps=200", "recipe.lr=0.05", "seed=3")
    assert paces([wanted]) == {kind_of(wanted.config): Pace(0.05, 2, "a processor", "AVX2")}


def test_but_from_none_that_did_not_end_or_is_damaged_or_of_other_steps(train, wanted):
    train("depth=8", status=Status.FAILED)
    train("depth=8", "recipe.batch_size=32")
    train("depth=14")
    train("depth=8", "seed=3", here=replace(HERE, processes=2))  # they shared the work
    (train("depth=8", "seed=4").run.directory / "config.yaml").write_text("depth: [")
    assert paces([wanted]) == {}


def test_a_seed_or_a_schedule_makes_no_other_kind_of_step(wanted):
    config = wanted.config
    assert kind_of(replace(config, seed=9, recipe=replace(config.recipe, steps=9, lr=1.0))) == (
        kind_of(config)
    )
    assert kind_of(replace(config, residual=not config.residual)) != kind_of(config)
