"""Which images a step sees: a function of (seed, step), whatever the network."""

from collections.abc import Iterator

import torch
from torch import Tensor

from resx.seeding import generator


def batch_indices(count: int, batch_size: int, seed: int, first_step: int) -> Iterator[Tensor]:
    """Indices (batch_size,) for step `first_step`, the next one, and so on without end.

    The stream is one permutation of the `count` images after another; a batch may begin in one
    and end in the next, so every image is seen equally often and every batch is full.
    """
    # A resumed run starts in the middle of a permutation, without drawing those before.
    position = (first_step - 1) * batch_size
    epoch, start = divmod(position, count)
    left = _permutation(count, seed, epoch)[start:]
    while True:
        while len(left) < batch_size:
            epoch += 1
            left = torch.cat((left, _permutation(count, seed, epoch)))
        yield left[:batch_size]
        left = left[batch_size:]


def _permutation(count: int, seed: int, epoch: int) -> Tensor:
    return torch.randperm(count, generator=generator(seed, "order", epoch))
