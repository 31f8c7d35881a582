"""The error of a run, of a checkpoint, of bare weights."""

import json

import pytest
import torch

from resx.store import checkpoint
from resx.store.files import CHECKPOINT
from tests.commands.answers import assert_refused


def test_evaluate_gives_the_errors_of_the_summary(resx, tiny, only_run):
    resx("train", *tiny)
    final = json.loads((only_run() / "summary.json").read_text())["final"]
    for name in (f"run={only_run()}", f"weights={only_run() / 'checkpoint.pt'}"):
        answer = resx("evaluate", name)
        assert answer.code == 0, answer.err
        rows = {r.split()[0]: r.split() for r in answer.out.splitlines() if "%" in r}
        assert rows["train"][1] == "1,437"
        assert float(rows["test"][2]) == pytest.approx(100 * final["test"]["error"], abs=0.006)
        train_error = 100 * final["train_clean"]["error"]
        assert float(rows["train"][2]) == pytest.approx(train_error, abs=0.006)


@pytest.mark.slow
def test_a_bare_state_dict_is_evaluated_as_the_network_that_is_named(resx, tiny, only_run):
    """Such weights have the running averages that training left."""
    resx("train", *tiny, "recipe.bn_reestimate=0")
    weights = checkpoint.load(only_run() / CHECKPOINT)["state"]["model"]
    torch.save(weights, "bare.pt")
    named = resx("evaluate", "weights=bare.pt", "depth=8", "model.width=2").out.splitlines()
    of_run = resx("evaluate", f"run={only_run()}").out.splitlines()
    assert named[1:] == of_run[1:]
    answer = resx("evaluate", "weights=bare.pt", "depth=14", "model.width=2")
    assert_refused(answer, "weights of another architecture: the file lacks stage1.1.branch.0")


@pytest.mark.slow
def test_other_images_too_few_for_the_runs_subset_are_evaluated_on_test(
    resx, tiny, only_run, image_tree
):
    common = ("data=folder", "recipe=digits", "data.image_size=8", *tiny[:3])
    root = image_tree("many", each=20)
    answer = resx("train", *common, f"data.root={root}", "data.subset=24", "recipe.batch_size=16")
    assert answer.code == 0, answer.err
    few = f"data.root={image_tree('few')}"
    answer = resx("evaluate", f"run={only_run()}", few, "splits=test")
    assert answer.code == 0, answer.err
    assert [row.split()[:2] for row in answer.out.splitlines() if "%" in row] == [["test", "12"]]
    answer = resx("evaluate", f"run={only_run()}", few)
    assert_refused(answer, "data.subset=24: there are 12 images")


def test_foreign_names_of_a_grey_network_are_not_normalised_by_colours(resx):
    weights = {name: torch.zeros(4, 1, 3, 3) for name in ("conv1.weight",)}
    torch.save(weights | {"linear.weight": torch.zeros(10, 4)}, "grey.pt")
    assert_refused(resx("evaluate", "weights=grey.pt", "depth=8"), "weights of another archit")


def test_settings_that_a_run_decides_itself_are_refused_in_evaluate(resx, tiny, only_run):
    resx("train", *tiny)
    answer = resx("evaluate", f"run={only_run()}", "depth=20")
    assert_refused(answer, "depth: a run's own configuration decides that")


def test_a_truncated_checkpoint_is_named(resx, tiny, only_run):
    resx("train", *tiny)
    path = only_run() / CHECKPOINT
    path.write_bytes(path.read_bytes()[:1000])
    assert_refused(resx("evaluate", f"weights={path}"), "truncated, or not a checkpoint")
