"""How long and how large a study will be, from a few measured steps of every distinct network."""

import time
from collections.abc import Mapping
from typing import NamedTuple

import torch

from resx.config.schema import RecipeConfig, TrainConfig
from resx.device import pick_device, synchronize
from resx.experiment import prepare
from resx.models.parts.complexity import parameters
from resx.study.clock import clock
from resx.study.cores import cores
from resx.study.launch import PROCESSES
from resx.study.outlook import Forecast, kind_of
from resx.training.state import make_optimizer
from resx.training.trainer import train_step

TIMED_STEPS = 3  # after one that allocates and chooses algorithms; the fastest counts
LONG_STEP = 2.0  # seconds; one such step is measure enough
EVALUATION_COST = 1 / 3  # of a training step, an image: a backward pass costs two forward ones
START_UP = 0.5  # seconds a run inside a sweep: build, first steps, files
RECORD_BYTES = 300  # a record in metrics.jsonl and in TensorBoard's file
CHECKPOINT_BYTES = 2 * 2 * 4  # a parameter: two checkpoints, weight and momentum, float32


def chosen(launcher: str | None, device: str) -> str:
    """The launcher; of None, processes of one thread each, unless there is an accelerator."""
    return launcher or (PROCESSES if pick_device(device).type == "cpu" else "basic")


def forecast(
    configs: list[TrainConfig], launcher: str | None, done: Mapping[str, float]
) -> Forecast:
    """Time and disk of these runs; `done` are seconds of training by `kind_of` the network.

    Raises `RequestError` as training would.
    """
    launcher = chosen(launcher, configs[0].device)
    parallel = launcher in (PROCESSES, "joblib")
    threads = torch.get_num_threads()
    if parallel:
        torch.set_num_threads(1)  # as each of the processes has
    try:
        known: dict[str, Cost] = {}
        for config in configs:
            if (kind := kind_of(config)) not in known:
                known[kind] = _measure(config, timed=kind not in done)
        costs = [known[kind_of(config)] for config in configs]
        pairs = list(zip(configs, costs))
        seconds = [done.get(kind_of(c)) or cost.training(c.recipe) for c, cost in pairs]
        disk = sum(cost.disk(c.recipe) for c, cost in pairs)
    finally:
        torch.set_num_threads(threads)
    seconds = [each + START_UP for each in seconds]
    whole = sum(seconds) / (min(cores(), len(configs)) if parallel else 1)
    line = f"predicted for {len(configs)} runs: {clock(whole)}, {disk / 1e6:.0f} MB on disk"
    return Forecast(launcher, seconds, line)


class Cost(NamedTuple):
    """What a network costs: seconds a step, number of parameters, images by split."""

    step: float
    weights: int
    images: dict[str, int]

    def training(self, recipe: RecipeConfig) -> float:
        """Seconds of all steps and evaluations."""
        # Every split is evaluated at every multiple of eval_every and after the last step.
        evaluated = sum(self.images.values()) * -(-recipe.steps // recipe.eval_every)
        evaluation = evaluated / recipe.batch_size * self.step * EVALUATION_COST
        return recipe.steps * self.step + evaluation

    def disk(self, recipe: RecipeConfig) -> float:
        """Bytes of a run."""
        return CHECKPOINT_BYTES * self.weights + RECORD_BYTES * recipe.steps / recipe.record_every


def _measure(config: TrainConfig, timed: bool) -> Cost:
    """Built in any case, as an impossible network is to be refused before anything runs."""
    experiment = prepare(config)
    network, dataset = experiment.network, experiment.dataset
    times = [] if timed else [0.0]
    optimizer = make_optimizer(network, config.recipe)
    batches = dataset.training_batches(config.recipe.batch_size, config.seed, 1)
    network.train()
    for _ in range(1 + TIMED_STEPS if timed else 0):
        started = time.perf_counter()
        images, labels = next(batches)
        train_step(network, images, labels, optimizer, 0.0, config.precision)
        synchronize(experiment.device)
        times.append(time.perf_counter() - started)
        if times[-1] > LONG_STEP:
            break
    return Cost(min(times), parameters(network), dataset.sizes)
