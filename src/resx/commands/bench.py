"""`resx bench`: images per second of our training loop, interleaved with the textbook loop."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import torch
from omegaconf import DictConfig

from resx.config.schema import BenchConfig
from resx.data.dataset import Dataset
from resx.data.in_memory import MemoryDataset
from resx.data.loading import load_dataset
from resx.device import pick_device, synchronize
from resx.errors import RequestError
from resx.models.building import build_network, compiled
from resx.training.state import make_optimizer
from resx.training.textbook import textbook_steps
from resx.training.trainer import train_step


def main(config: BenchConfig, composed: DictConfig) -> int:
    """Prints a row a loop: medians over `repeats` turns of `steps` steps each."""
    device = pick_device(config.device)
    dataset = load_dataset(config.data, device, Path(config.outputs, "cache"), config.trust)
    if not isinstance(dataset, MemoryDataset):
        raise RequestError("bench compares on images below 64 pixels")
    measured = measure(config, dataset, device)
    textbook = median(measured["textbook"])
    batch = config.recipe.batch_size
    print(f"depth {config.depth}, {'residual' if config.residual else 'plain'}, batch {batch},")
    print(f"{config.data.name}, {device}, {torch.get_num_threads()} threads; medians of")
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


def measure(
    config: BenchConfig, dataset: MemoryDataset, device: torch.device
) -> dict[str, list[float]]:
    """Seconds a step of each loop, and of fetching and augmenting a batch alone."""
    loops: dict[str, Iterator[float]] = {
        "textbook": _textbook(config, dataset, device),
        "fp32": _ours(config, dataset, device, "fp32"),
        "bf16": _ours(config, dataset, device, "bf16"),
        "fetch": _fetch(config, dataset, device),
    }
    for loop in loops.values():  # first steps allocate and choose algorithms
        for _ in range(2):
            next(loop)
    measured: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(config.repeats):
        for name, loop in loops.items():
            measured[name].append(_turn(lambda loop=loop: next(loop), config.steps, device))  # type: ignore[misc]
    return measured


def _turn(step: Callable[[], float], steps: int, device: torch.device) -> float:
    synchronize(device)
    started = time.perf_counter()
    for _ in range(steps):
        step()
    synchronize(device)
    return (time.perf_counter() - started) / steps


def _network(config: BenchConfig, dataset: Dataset, device: torch.device) -> torch.nn.Module:
    return build_network(config, len(dataset.classes), dataset.channels, dataset.image_size, device)


def _textbook(config: BenchConfig, dataset: MemoryDataset, device: torch.device) -> Iterator[float]:
    network = _network(config, dataset, device).to(memory_format=torch.contiguous_format)
    batch = config.recipe.batch_size
    return textbook_steps(network, dataset.splits["train"], batch, dataset.pad, dataset.flip)


def _ours(
    config: BenchConfig, dataset: MemoryDataset, device: torch.device, precision: str
) -> Iterator[float]:
    network = _network(config, dataset, device)
    optimizer = make_optimizer(network, config.recipe)
    forward = compiled(network, config.compile).train()
    for images, labels in dataset.training_batches(config.recipe.batch_size, config.seed, 1):
        train_step(forward, images, labels, optimizer, 0.1, precision)
        yield 0.0


def _fetch(config: BenchConfig, dataset: MemoryDataset, device: torch.device) -> Iterator[float]:
    for _ in dataset.training_batches(config.recipe.batch_size, config.seed, 1):
        yield 0.0
