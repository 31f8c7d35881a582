"""Our own loop, as the trainer runs it, and the parts of its step."""

import itertools
import time
from collections.abc import Iterator
from typing import NamedTuple

from torch import nn

from resx.config.schema import RecipeConfig
from resx.data.dataset import Batch, Dataset
from resx.device import synchronize
from resx.training.state import make_optimizer
from resx.training.trainer import forward_pass, train_step

LR = 0.01  # of steps that are only timed


class Ours:
    """`forward` is the network itself, or its compiled form."""

    def __init__(
        self, forward: nn.Module, dataset: Dataset, recipe: RecipeConfig, seed: int, precision: str
    ) -> None:
        self.forward, self.dataset, self.recipe = forward.train(), dataset, recipe
        self.seed, self.precision = seed, precision
        self.optimizer = make_optimizer(forward, recipe)
        self.step = 1

    def fetch(self, steps: int) -> Iterator[Batch]:
        first, self.step = self.step, self.step + steps
        return self.dataset.training_batches(self.recipe.batch_size, self.seed, first, steps)

    def train(self, batch: Batch) -> None:
        train_step(self.forward, *batch, self.optimizer, LR, self.precision)


class Phases(NamedTuple):
    """Seconds of the parts of a step, each waited for: together a little more than a step."""

    fetch: float
    forward: float
    backward: float
    update: float


def phases(loop: Ours) -> Phases:
    """Of one step."""
    times = [time.perf_counter()]

    def lap() -> None:
        synchronize(images.device)
        times.append(time.perf_counter())

    images, labels = next(loop.fetch(1))
    lap()
    _, loss = forward_pass(loop.forward, images, labels, loop.precision)
    lap()
    loop.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    lap()
    loop.optimizer.step()
    lap()
    return Phases(*(after - before for before, after in itertools.pairwise(times)))
