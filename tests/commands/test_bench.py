"""The loops are measured beside each other."""

import pytest

from tests.commands.answers import assert_refused


def test_bench_measures_the_loops_and_the_bound(resx):
    answer = resx("bench", "depth=8", "steps=2", "repeats=1", "recipe.batch_size=8")
    assert answer.code == 0, answer.err
    rows = [line.split()[0] for line in answer.out.splitlines() if " im/s" in line]
    assert rows[:2] == ["textbook", "fp32"]
    assert "the step reaches" in answer.out
    assert "peak memory" in answer.out


@pytest.mark.slow
def test_bench_streams_large_images(resx, image_tree):
    root = image_tree(size=(90, 70), suffix="jpg")
    answer = resx(
        "bench", "data=imagenet", f"data.root={root}", "data.image_size=64", "depth=18", "steps=1",
        "repeats=1", "recipe.batch_size=2", "data.workers=0",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert "64 pixels" in answer.out


def test_a_batch_needs_as_many_images(resx):
    assert_refused(resx("bench", "recipe.batch_size=2_000"), "more than there are training images")
