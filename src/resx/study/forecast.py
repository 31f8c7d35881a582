"""How long and how large a study will be, from a few measured steps of every distinct network."""

import os
import time
from dataclasses import replace

import torch

from resx.config.schema import TrainConfig
from resx.device import synchronize
from resx.errors import RequestError
from resx.experiment import prepare
from resx.models.parts.complexity import parameters
from resx.training.state import make_optimizer
from resx.training.trainer import train_step

TIMED_STEPS = 3  # after one that allocates and chooses algorithms; the fastest counts
LONG_STEP = 2.0  # seconds; one such step is measure enough
EVALUATION_COST = 1 / 3  # of a training step, an image: a backward pass costs two forward ones
START_UP = 0.5  # seconds a run inside a sweep: build, first steps, files
RECORD_BYTES = 300  # a record in metrics.jsonl and in TensorBoard's file
CHECKPOINT_BYTES = 2 * 2 * 4  # a parameter: two checkpoints, weight and momentum, float32


def forecast(configs: list[TrainConfig], parallel: bool) -> str:
    """One line: predicted time and disk of these runs. Raises `RequestError` as training would."""
    threads = torch.get_num_threads()
    if parallel:
        torch.set_num_threads(1)  # as joblib's workers have
    try:
        known: dict[str, tuple[float, int, dict[str, int]]] = {}
        seconds = disk = 0.0
        for config in configs:
            name = _distinct(config)
            if name not in known:
                known[name] = _measure(config)
            step, weights, images = known[name]
            recipe = config.recipe
            # Every split is evaluated at every multiple of eval_every and after the last step.
            evaluated = sum(images.values()) * -(-recipe.steps // recipe.eval_every)
            evaluation = evaluated / recipe.batch_size * step * EVALUATION_COST
            seconds += recipe.steps * step + evaluation + START_UP
            disk += CHECKPOINT_BYTES * weights + RECORD_BYTES * recipe.steps / recipe.record_every
    finally:
        torch.set_num_threads(threads)
    seconds /= min(os.cpu_count() or 1, len(configs)) if parallel else 1
    return f"predicted for {len(configs)} runs: {_clock(seconds)}, {disk / 1e6:.0f} MB on disk"


def forecast_offline(configs: list[TrainConfig], parallel: bool) -> str:
    """The same for a look ahead: it fetches no images, and says so where they are not there."""
    offline = [replace(c, data=replace(c.data, download=False)) for c in configs]
    try:
        return forecast(offline, parallel)
    except RequestError as error:
        return f"no prediction: {error}"


def _distinct(config: TrainConfig) -> str:
    """What a step's time depends on."""
    parts = (config.model, config.depth, config.residual, config.block, config.precision)
    return repr((*parts, config.data, config.recipe.batch_size, config.recipe.optimizer))


def _measure(config: TrainConfig) -> tuple[float, int, dict[str, int]]:
    """Seconds a step, number of parameters, images by split."""
    experiment = prepare(config)
    network, dataset = experiment.network, experiment.dataset
    optimizer = make_optimizer(network, config.recipe)
    batches = dataset.training_batches(config.recipe.batch_size, config.seed, 1)
    network.train()
    times = []
    for _ in range(1 + TIMED_STEPS):
        started = time.perf_counter()
        images, labels = next(batches)
        train_step(network, images, labels, optimizer, 0.0, config.precision)
        synchronize(experiment.device)
        times.append(time.perf_counter() - started)
        if times[-1] > LONG_STEP:
            break
    return min(times), parameters(network), dataset.sizes


def _clock(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"
