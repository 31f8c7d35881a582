"""The loops are measured beside each other."""

import pytest

from resx.commands.bench import limit
from resx.speed.bound import Bound
from resx.speed.measurement import Turns
from resx.speed.ours import Phases
from resx.speed.report import Own, Speed
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
    assert answer.out.count("times torchvision's reference pipeline with as many (") == 2
    assert answer.out.count(" limits") == 2


@pytest.mark.parametrize(("fetch", "slower"), [(0.5, "input"), (0.3, "network")])
def test_what_is_slower_alone_is_what_limits(fetch, slower):
    turns = {"textbook": Turns([2.0], [1.5]), "fp32": Turns([1.0], [fetch])}
    own = {"fp32": Own(Phases(fetch, 0.1, 0.2, 0.1), Bound(0.2, 0.1), 0)}
    assert limit(Speed(30, 2, turns, own), "fp32") == (
        f"input alone {30 / fetch:.0f} images/s (2 workers), {1.5 / fetch:.2f} times torchvision's"
        f" reference pipeline with as many (20); network alone 75: the {slower} limits"
    )
    assert "torchvision" not in limit(Speed(30, None, turns, own), "fp32")


def test_a_batch_needs_as_many_images(resx):
    assert_refused(resx("bench", "recipe.batch_size=2_000"), "more than there are training images")
