"""Weights go out to another project's names and come back."""

from pathlib import Path

import pytest

from tests.commands.answers import assert_refused


def errors(answer):
    """Split, images and top-1 error of each row."""
    assert answer.code == 0, answer.err
    return [row.split()[:3] for row in answer.out.splitlines() if "%" in row]


@pytest.mark.slow
def test_an_exported_run_is_evaluated_like_the_run(resx, tiny, only_run):
    """Out to the other project's names, in which channels stand in another order, and back.

    The file says how its images are normalised; what is typed wins over it.
    """
    resx("train", *tiny)
    answer = resx("export", f"run={only_run()}", "naming=akamaster", "file=theirs.pt")
    assert answer.code == 0, answer.err
    assert "tensors in akamaster's names" in answer.out
    ours = errors(resx("evaluate", f"run={only_run()}"))
    theirs = ("evaluate", "weights=theirs.pt", "depth=8", "model.width=2")
    assert errors(resx(*theirs)) == ours
    given = ("data.normalize=given", "data.mean=[0.9]", "data.std=[0.1]")
    assert errors(resx(*theirs, *given)) != ours
    assert_refused(resx(*theirs, "data=digit_pairs", "data.val_fraction=2"), "must be in [0, 1)")


def test_an_export_of_other_classes_is_refused(resx, tiny, only_run, image_tree):
    resx("train", *tiny)
    resx("export", f"run={only_run()}", "file=theirs.pt")
    images = ("data=folder", f"data.root={image_tree()}", "data.image_size=8")
    answer = resx("evaluate", "weights=theirs.pt", "depth=8", "model.width=2", *images)
    assert_refused(answer, "the weights are of other classes than these images have")


@pytest.mark.slow
def test_a_checkpoint_and_a_snapshot_are_exported_like_a_run(resx, tiny, only_run):
    resx("train", *tiny, "recipe.snapshots=2")
    run = only_run()
    assert resx("export", f"weights={run / 'checkpoint.pt'}", "naming=akamaster").code == 0
    assert (run / "checkpoint.akamaster.pt").is_file()
    first = run / "snapshots" / "step-000000.pt"
    assert resx("export", f"weights={first}", "naming=akamaster", "file=first.pt").code == 0
    assert Path("first.pt").is_file()
    answer = resx("export", "weights=first.pt")
    assert_refused(answer, "is no checkpoint of resx, so nothing says of which network it is")
    answer = resx("export", f"weights={first}", f"file={first}")
    assert_refused(answer, "is what is exported; name another file")


def test_an_impossible_export_is_one_line(resx, tiny, only_run):
    resx("train", *tiny)
    run = f"run={only_run()}"
    for arguments, message in (
        ((run, "naming=torchvision"), "akamaster, because it has no net of the CIFAR layout"),
        ((run, "naming=timm"), "naming=timm: must be one of resx, torchvision, akamaster"),
        ((run, "file=."), "file=.: is a folder; name a file in it"),
        ((run, "file=nowhere/x.pt"), "there is no folder nowhere"),
        ((run, "depth=20"), "depth: a run's own configuration decides that"),
    ):
        assert_refused(resx("export", *arguments), message)
    assert [path.name for path in Path().iterdir()] == ["outputs"]
