"""`resx bench`: images per second of our training loop, interleaved with the textbook loop."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

import torch

from resx.config.composing import Typed
from resx.config.requests import BenchConfig
from resx.data.in_memory import MemoryDataset
from resx.device import synchronize
from resx.errors import RequestError
from resx.experiment import Experiment, prepare
from resx.models.building import build_network, compiled
from resx.models.parts.network import Network
from resx.training.state import make_optimizer
from resx.training.textbook import textbook_steps
from resx.training.trainer import train_step


def main(config: BenchConfig, typed: Typed) -> int:
    """Prints a row a loop: medians over `repeats` turns of `steps` steps each."""
    experiment = prepare(config)
    batch = config.recipe.batch_size
    if not isinstance(experiment.dataset, MemoryDataset):
        raise RequestError("bench compares on images below 64 pixels")
    if experiment.dataset.sizes["train"] < batch:  # the textbook loop drops what fills no batch
        raise RequestError(f"recipe.batch_size={batch}: more than there are training images")
    measured = measure(config, experiment)
    textbook = median(measured["textbook"])
    print(f"depth {config.depth}, {'residual' if config.residual else 'plain'}, batch {batch},")
    print(f"{config.data.name}, {experiment.device}, {torch.get_num_threads()} threads; medians of")
    print(f"{config.repeats} interleaved turns of {config.steps} steps\n")
    print(f"{'loop':10} {'ms a step':>10} {'images/s':>10} {'ratio':>7} {'fetch + augment':>16}")
    fetch = measured["fetch"]
    for name in ("textbook", "fp32", "bf16"):
        seconds = median(measured[name])
        share = "" if name == "textbook" else f"{100 * median(fetch) / seconds:14.1f} %"
        print(
            f"{name:10} {1000 * seconds:10.1f} {batch / seconds:10.0f}"
            f" {textbook / seconds:7.2f} {share:>16}"
        )
    return 0


def measure(config: BenchConfig, experiment: Experiment) -> dict[str, list[float]]:
    """Seconds a step of each loop, and of fetching and augmenting a batch alone."""
    loops: dict[str, Iterator[float]] = {
        "textbook": _textbook(config, experiment),
        "fp32": _ours(config, experiment, "fp32"),
        "bf16": _ours(config, experiment, "bf16"),
        "fetch": _fetch(config, experiment),
    }
    for loop in loops.values():  # first steps allocate and choose algorithms
        for _ in range(2):
            next(loop)
    measured: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(config.repeats):
        for name, loop in loops.items():
            measured[name].append(_turn(partial(next, loop), config.steps, experiment.device))
    return measured


def _turn(step: Callable[[], float], steps: int, device: torch.device) -> float:
    synchronize(device)
    started = time.perf_counter()
    for _ in range(steps):
        step()
    synchronize(device)
    return (time.perf_counter() - started) / steps


def _network(config: BenchConfig, experiment: Experiment) -> Network:
    """One of its own for each loop, as each trains."""
    dataset = experiment.dataset
    shape = (len(dataset.classes), dataset.channels, dataset.image_size)
    return build_network(config, *shape, experiment.device)


def _textbook(config: BenchConfig, experiment: Experiment) -> Iterator[float]:
    dataset = experiment.dataset
    assert isinstance(dataset, MemoryDataset)
    network = _network(config, experiment).arrange(torch.contiguous_format)
    batch = config.recipe.batch_size
    return textbook_steps(network, dataset.splits["train"], batch, dataset.pad, dataset.flip)


def _ours(config: BenchConfig, experiment: Experiment, precision: str) -> Iterator[float]:
    network = _network(config, experiment)
    optimizer = make_optimizer(network, config.recipe)
    forward = compiled(network, config.compile).train()
    batches = experiment.dataset.training_batches(config.recipe.batch_size, config.seed, 1)
    for images, labels in batches:
        train_step(forward, images, labels, optimizer, 0.1, precision)
        yield 0.0


def _fetch(config: BenchConfig, experiment: Experiment) -> Iterator[float]:
    for _ in experiment.dataset.training_batches(config.recipe.batch_size, config.seed, 1):
        yield 0.0
