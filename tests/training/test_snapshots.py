"""Weights that are kept along training are those of their step, and change nothing."""

import pytest
import torch

from resx.errors import RequestError
from resx.experiment import open_run, prepare
from resx.training.schedule import snapshot_steps
from tests.commands.answers import assert_refused


def test_steps_are_spaced_by_a_factor_from_the_first_to_the_last():
    assert snapshot_steps(8, 200) == [0, 1, 2, 5, 10, 21, 44, 94, 200]
    assert snapshot_steps(1, 200) == [0, 200]
    assert snapshot_steps(8, 3) == [0, 1, 2, 3]
    assert snapshot_steps(0, 200) == []


@pytest.fixture
def run(resx, tiny, only_run):
    answer = resx("train", *tiny, "recipe.snapshots=3")
    assert answer.code == 0, answer.err
    return open_run(only_run())


def test_a_snapshot_holds_the_weights_of_its_step(run, configure, tiny):
    assert list(run.snapshots()) == [0, 1, 3, 12]
    first, last = run.experiment(step=0), run.experiment(step=12)
    fresh, newest = prepare(run.config), run.experiment()
    assert (first.step, last.step, newest.step) == (0, 12, 12)
    for ours, other in ((first, fresh), (last, newest)):
        for name, value in ours.network.state_dict().items():
            assert torch.equal(value, other.network.state_dict()[name]), name
    saved = torch.load(run.snapshots()[3], weights_only=True)
    assert set(saved["state"]) == {"model", "step"}  # no optimizer
    with pytest.raises(RequestError, match="no snapshot of step 2; there is 0, 1, 3, 12"):
        run.experiment(step=2)


def test_keeping_them_changes_no_result(run, resx, tiny, tmp_path):
    assert resx("train", *tiny, "outputs=other").code == 0
    (other,) = tmp_path.glob("other/runs/*/*/*")
    assert other.name == run.directory.name
    weights = open_run(other).checkpoint()["state"]["model"]
    for name, value in run.checkpoint()["state"]["model"].items():
        assert torch.equal(value, weights[name]), name


def test_one_that_is_damaged_or_of_another_step_is_refused(run, resx):
    place, last = run.snapshots()[3], run.snapshots()[12]
    place.write_bytes(last.read_bytes())
    answer = resx("analyze", "responses", f"runs={run.directory}", "snapshots=true")
    assert_refused(answer, "holds no snapshot of step 3")
    place.write_bytes(last.read_bytes()[:500])
    answer = resx("analyze", "responses", f"runs={run.directory}", "snapshots=true")
    assert_refused(answer, "truncated, or not a checkpoint")


def test_a_finished_run_without_them_says_so(resx, tiny, only_run):
    assert resx("train", *tiny).code == 0
    assert "it kept no snapshots" in resx("train", *tiny, "recipe.snapshots=3").out
    answer = resx("analyze", "responses", f"runs={only_run()}", "snapshots=true")
    assert_refused(answer, "the run kept no snapshots; recipe.snapshots=8 keeps some")
