"""Without a group there is one process; with one, each has its part."""

import pytest
import torch

from resx.distributed import Part, agreed, from_first, packed, part, total, unpacked


@pytest.mark.parametrize("count", [0, 1, 7, 64])
@pytest.mark.parametrize("world", [1, 2, 3, 5])
def test_parts_are_the_whole_in_order(count, world):
    things = [*range(count)]
    parts = [things[Part(rank, world).of(count)] for rank in range(world)]
    assert [thing for part in parts for thing in part] == things
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_alone_nothing_is_exchanged():
    assert part() == Part(0, 1)
    assert total(torch.ones(3)).tolist() == [1, 1, 1]
    assert from_first(lambda: "made") == "made"
    assert agreed(lambda: "SIGTERM")() == "SIGTERM"


def test_what_is_told_arrives_as_it_was():
    state = {"model": {"weight": torch.randn(2, 3)}, "step": 4, "scores": {"test": {"loss": 0.5}}}
    arrived = unpacked(packed(state))
    assert torch.equal(arrived["model"].pop("weight"), state["model"].pop("weight"))
    assert arrived == state
