"""Which images a step sees is a function of (seed, step)."""

from itertools import islice

import pytest
import torch

from resx.data.order import batch_indices


def first(batches, **arguments):
    return list(islice(batch_indices(**arguments), batches))


def test_every_image_is_seen_once_an_epoch_and_every_batch_is_full():
    batches = first(10, count=20, batch_size=6, seed=0, first_step=1)
    assert {len(b) for b in batches} == {6}
    stream = torch.cat(batches)
    for epoch in (stream[:20], stream[20:40], stream[40:60]):
        assert epoch.sort().values.tolist() == list(range(20))
    assert not torch.equal(stream[:20], stream[20:40])


@pytest.mark.parametrize("step", [2, 4, 7])
def test_starting_later_gives_the_same_batches(step):
    whole = first(10, count=20, batch_size=6, seed=3, first_step=1)
    rest = first(10 - step + 1, count=20, batch_size=6, seed=3, first_step=step)
    assert all(torch.equal(a, b) for a, b in zip(whole[step - 1 :], rest))


def test_a_batch_may_be_larger_than_the_data_set():
    (batch,) = first(1, count=5, batch_size=12, seed=0, first_step=1)
    assert sorted(torch.bincount(batch).tolist()) == [2, 2, 2, 3, 3]


def test_seeds_differ():
    a, b = (first(1, count=50, batch_size=50, seed=s, first_step=1)[0] for s in (0, 1))
    assert not torch.equal(a, b)
