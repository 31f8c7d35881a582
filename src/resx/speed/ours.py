"""Our own loop, as the trainer runs it, and the parts of its step."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from torch import nn

from resx.config.schema import RecipeConfig
from resx.data.dataset import Batch, Dataset, Inputs
from resx.device import synchronize
from resx.training.state import make_optimizer
from resx.training.step import forward_pass, micro_batches
from resx.training.update import make_update

LR = 0.01  # of steps that are only timed


class Ours:
    """`forward` is the network itself, or its compiled form; `graphs` as the trainer has it."""

    def __init__(
        self,
        forward: nn.Module,
        dataset: Dataset,
        recipe: RecipeConfig,
        seed: int,
        precision: str,
        graphs: bool = True,
    ) -> None:
        self.forward, self.dataset, self.recipe = forward.train(), dataset, recipe
        self.seed, self.precision = seed, precision
        self.optimizer = make_optimizer(forward, recipe)
        parts = self.forward, dataset, self.optimizer, recipe, precision
        self.update = make_update(*parts, graphs)
        self.step = 1

    def fetch(self, steps: int) -> Iterator[Inputs]:
        first, self.step = self.step, self.step + steps
        return self.dataset.training_inputs(self.recipe.batch_size, self.seed, first, steps)

    def batch(self, fetched: Inputs) -> Batch:
        return self.dataset.training_batch(fetched)

    def train(self, fetched: Inputs) -> None:
        self.update(fetched, LR)


class Phases(NamedTuple):
    """Seconds of the parts of a step, each waited for and none recorded: together more than it."""

    fetch: float
    forward: float
    backward: float
    update: float

    @property
    def network(self) -> float:
        return self.forward + self.backward + self.update


def phases(loop: Ours) -> Phases:
    """Of one step."""
    started = time.perf_counter()

    def lap() -> float:
        nonlocal started
        synchronize(images.device)
        before, started = started, time.perf_counter()
        return started - before

    images, labels = loop.batch(next(loop.fetch(1)))
    fetch, forward, backward = lap(), 0.0, 0.0
    loop.optimizer.zero_grad(set_to_none=True)
    for part in micro_batches(images, labels, loop.recipe.micro_batch):
        _, loss = forward_pass(loop.forward, *part, loop.precision)
        forward += lap()
        loss.backward()
        backward += lap()
    loop.optimizer.step()
    return Phases(fetch, forward, backward, lap())
