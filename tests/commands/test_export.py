"""Weights go out to another project's names and come back."""

import re

from tests.commands.answers import assert_refused


def test_an_exported_run_is_evaluated_like_the_run(resx, tiny, only_run):
    """Out to the other project's names, in which channels stand in another order, and back."""
    resx("train", *tiny)
    answer = resx("export", f"run={only_run()}", "naming=akamaster", "file=theirs.pt")
    assert answer.code == 0, answer.err
    assert "tensors in akamaster's names" in answer.out
    mean, std = re.search(r"mean ([\d.]+), std ([\d.]+)$", answer.out, re.MULTILINE).groups()
    own = [f"data.mean=[{mean}]", f"data.std=[{std}]", "data.normalize=given"]
    theirs = resx("evaluate", "weights=theirs.pt", "depth=8", "model.width=2", *own)
    assert theirs.code == 0, theirs.err
    ours = resx("evaluate", f"run={only_run()}")
    errors = [[r.split()[:3] for r in a.out.splitlines() if "%" in r] for a in (ours, theirs)]
    assert errors[0] == errors[1]


def test_an_impossible_export_is_one_line(resx, tiny, only_run):
    resx("train", *tiny)
    run = f"run={only_run()}"
    for arguments, message in (
        ((), "name a run: resx export run=DIRECTORY naming=torchvision"),
        ((run, "naming=torchvision"), "is not in it, only in resx, akamaster"),
        ((run, "naming=timm"), "naming=timm: must be one of resx, torchvision, akamaster"),
        ((run, "file=nowhere/x.pt"), "there is no folder nowhere"),
        ((run, "depth=20"), "depth: a run's own configuration decides that"),
    ):
        assert_refused(resx("export", *arguments), message)
