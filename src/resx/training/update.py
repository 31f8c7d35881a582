"""A step of training from a data set's inputs: anew each time, recorded by CUDA, or shared."""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor, nn, optim

from resx.config.schema import NetworkConfig, RecipeConfig
from resx.data.dataset import Dataset, Inputs
from resx.distributed import part
from resx.models.parts.layers import may_draw
from resx.models.parts.network import Network
from resx.models.parts.shared_statistics import RunningAverages
from resx.training.averaging import averaging, settle
from resx.training.step import train_step

log = logging.getLogger(__name__)

WARM_UP = 3  # steps before the one that is recorded: they allocate and choose algorithms


class Updated(NamedTuple):
    """The batch that a step was made on, and its (loss, error): on the device."""

    images: Tensor
    labels: Tensor
    outcome: Tensor


@dataclass
class Update:
    """Makes the batch of a step and updates `forward`, the network or its compiled form."""

    forward: nn.Module
    dataset: Dataset
    optimizer: optim.Optimizer
    precision: str
    micro_batch: int | None = None
    noisy: bool = False

    def __call__(self, inputs: Inputs, lr: float | Tensor) -> Updated:
        images, labels = self.dataset.training_batch(inputs)
        parts = self.precision, self.micro_batch, self.noisy
        outcome = train_step(self.forward, images, labels, self.optimizer, lr, *parts)
        return Updated(images, labels, outcome)


class StaticUpdate:
    """The same on inputs, and with a learning rate, that lie where they always lie.

    So a CUDA graph can record the whole step, from the gather of the batch to the update, and
    replay it: for a small network launching its operations one by one takes longer than they do.
    The first steps, and all steps elsewhere than on CUDA, run the same code as it is. What a step
    returns holds until the next one.
    """

    def __init__(self, update: Update, device: torch.device) -> None:
        self.update = update
        cuda = device.type == "cuda"
        # A stream other than the default one, which cannot be recorded.
        self.stream = torch.cuda.Stream(device) if cuda else None
        # CUDA's fused optimizers read float32; on the CPU the number stays what it was.
        self.lr = torch.zeros((), dtype=torch.float32 if cuda else torch.float64, device=device)
        self.lr_written: float | None = None
        self.inputs: Inputs = ()
        self.steps = 0
        self.graph: torch.cuda.CUDAGraph | None = None
        self.updated: Updated | None = None

    def __call__(self, inputs: Inputs, lr: float) -> Updated:
        with beside(self.stream):
            self._place(inputs, lr)
            if self.stream is not None and self.steps == WARM_UP:
                self._record(self.stream)
            if self.graph is not None:
                self.graph.replay()
            else:
                self.updated = self.update(self.inputs, self.lr)
            self.steps += 1
        assert self.updated is not None
        return self.updated

    def _place(self, inputs: Inputs, lr: float) -> None:
        if not self.inputs:
            self.inputs = tuple(map(torch.empty_like, inputs))
        for place, tensor in zip(self.inputs, inputs):
            place.copy_(tensor)
        if lr != self.lr_written:
            self.lr.fill_(lr)
            self.lr_written = lr

    def _record(self, stream: torch.cuda.Stream) -> None:
        """Recording computes nothing. A step that cannot be recorded goes on as it is, and says so.

        That is one of a network from outside which reads the device, or chooses by what it sees.
        """
        graph = torch.cuda.CUDAGraph()
        # Other threads, such as those that pin memory for a data set, go on meanwhile.
        recording = torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local")
        try:
            with capturable(self.update.optimizer), recording:
                self.updated = self.update(self.inputs, self.lr)
        except RuntimeError as error:
            first = error.__context__ or error  # ending a recording that failed fails, too
            reason = next(iter(str(first).splitlines()), type(first).__name__)
            log.warning("steps are not recorded as a CUDA graph: %s", reason)
            # Before torch 2.12 a generator takes a recording that failed for one that goes on.
            generator = torch.cuda.default_generators[stream.device.index]
            generator.graphsafe_set_state(generator.clone_state())
        else:
            self.graph = graph


@contextmanager
def capturable(optimizer: optim.Optimizer) -> Iterator[None]:
    """torch's Adam refuses to be recorded unless it is told, and warns if it then is not."""
    groups = [group for group in optimizer.param_groups if "capturable" in group]
    for group in groups:
        group["capturable"] = True
    try:
        yield
    finally:
        for group in groups:
            group["capturable"] = False


@contextmanager
def beside(stream: torch.cuda.Stream | None) -> Iterator[None]:
    """Within, CUDA works on `stream`, after all that was asked for and before all that will be."""
    if stream is None:
        yield
        return
    outer = torch.cuda.current_stream(stream.device)
    stream.wait_stream(outer)
    with torch.cuda.stream(stream):
        yield
    outer.wait_stream(stream)


class SharedUpdate:
    """A step on this process's part of the batch, after which all processes have equal weights.

    Gradients are the means over the processes, and so is the outcome.
    """

    def __init__(self, update: Update, recipe: RecipeConfig, world: int) -> None:
        own = recipe.batch_size // world
        at_once = min(recipe.micro_batch or own, own)
        parts = own // at_once * math.ceil(at_once / (recipe.bn_batch or at_once))
        self.averages = RunningAverages(update.forward, parts)
        data = update.dataset
        shape = at_once, data.channels, data.image_size, data.image_size
        forward = averaging(update.forward)
        settle(forward, shape, update.precision)
        self.update = replace(update, forward=forward)

    def __call__(self, inputs: Inputs, lr: float | Tensor) -> Updated:
        before = self.averages.values()
        updated = self.update(inputs, lr)
        return updated._replace(outcome=self.averages.combine(before, updated.outcome))


def make_update(
    forward: nn.Module,
    dataset: Dataset,
    optimizer: optim.Optimizer,
    recipe: RecipeConfig,
    precision: str,
    graphs: bool,
) -> Update | StaticUpdate | SharedUpdate:
    """The one that is fastest there: recorded on CUDA, unless `graphs` says otherwise.

    Not recorded where several processes share a step: what they exchange has not been tried there.
    """
    noisy = any(map(may_draw, forward.modules()))
    update = Update(forward, dataset, optimizer, precision, recipe.micro_batch, noisy)
    if (world := part().world) > 1:
        return SharedUpdate(update, recipe, world)
    device = next(forward.parameters()).device
    return StaticUpdate(update, device) if graphs and device.type == "cuda" else update


def may_be_recorded(config: NetworkConfig, network: Network) -> bool:
    """Whether CUDA may record the network's step, if it can.

    Not one that reads and sets the random state, as blocks do that draw the same numbers again when
    they are computed again, and parts of a batch that draw their own.
    """
    draws = any(map(may_draw, network.modules()))
    sets = config.checkpoint_activations or config.recipe.micro_batch is not None
    return config.cuda_graphs and not (sets and draws)
