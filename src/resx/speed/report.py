"""All that is measured of one network on one machine."""

from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

import torch

from resx.config.requests import BenchConfig
from resx.data.streamed import StreamDataset
from resx.device import peak_memory, reset_peak_memory
from resx.experiment import Experiment
from resx.models.building import build_network, compiled
from resx.models.parts.network import Network
from resx.speed.bound import Bound, bound
from resx.speed.busy import seconds_of_kernels
from resx.speed.measurement import Turns, take_turns
from resx.speed.ours import Ours, Phases, phases
from resx.speed.textbook import Loop, Textbook
from resx.training.update import may_be_recorded

TEXTBOOK_WORKERS = 2  # as most people have, and as many as the smallest machines have cores


class Own(NamedTuple):
    """Of our loop in one precision; `memory` is the peak of the process in bytes."""

    phases: Phases
    bound: Bound
    memory: int
    kernels: float | None = None  # seconds of a step in which the GPU computes; None without one


@dataclass(frozen=True)
class Speed:
    """`turns` by loop: `textbook`, and ours by precision.

    `workers` of both decode the images, None if these are in memory.
    """

    batch_size: int
    workers: int | None
    turns: dict[str, Turns]
    own: dict[str, Own]


def measure(config: BenchConfig, experiment: Experiment, precisions: list[str]) -> Speed:
    """Each loop trains a network of its own, equal at the start."""
    dataset, recipe = experiment.dataset, config.recipe
    ours = {}
    for precision in precisions:
        forward = compiled(_network(config, experiment), config.compile)
        graphs = may_be_recorded(config, experiment.network)
        ours[precision] = Ours(forward, dataset, recipe, config.seed, precision, graphs)
    plain = _network(config, experiment).arrange(torch.contiguous_format)
    workers = dataset.workers if isinstance(dataset, StreamDataset) else None
    theirs = TEXTBOOK_WORKERS if workers is None else workers
    textbook = Textbook(plain, dataset, recipe.batch_size, theirs)
    loops: dict[str, Loop] = {"textbook": textbook, **ours}
    turns = take_turns(loops, config.steps, config.repeats, experiment.device)
    own = {name: _own(loop, config.repeats, experiment) for name, loop in ours.items()}
    return Speed(recipe.batch_size, workers, turns, own)


def _own(loop: Ours, repeats: int, experiment: Experiment) -> Own:
    kernels = seconds_of_kernels(loop, experiment.device)
    reset_peak_memory(experiment.device)
    laps = [phases(loop) for _ in range(repeats)]
    memory = peak_memory(experiment.device)
    middle = Phases(*(median(parts) for parts in zip(*laps)))
    batch, micro_batch = loop.batch(next(loop.fetch(1))), loop.recipe.micro_batch
    possible = bound(experiment.network.train(), *batch, loop.precision, micro_batch)
    return Own(middle, possible, memory, kernels)


def _network(config: BenchConfig, experiment: Experiment) -> Network:
    dataset = experiment.dataset
    shape = (len(dataset.classes), dataset.channels, dataset.image_size)
    return build_network(config, *shape, experiment.device)
