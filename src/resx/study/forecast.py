"""How long and how large a study will be, from a few measured steps of every distinct network."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch

from resx.config.schema import RecipeConfig, TrainConfig
from resx.data.dataset import Dataset
from resx.device import peak_memory, pick_device
from resx.errors import RequestError
from resx.experiment import Experiment, prepare
from resx.models.parts.complexity import parameters
from resx.study.clock import clock
from resx.study.cores import Way
from resx.study.outlook import Asked, Forecast
from resx.study.paces import Pace, kind_of
from resx.study.parallel import (
    FRESH,
    SHARING,
    as_settings,
    is_free_joblib,
    parallelism,
    threads_of,
)
from resx.study.sharing import chosen, default_way, known_here, tried, whole
from resx.study.slurm import SLURM, asks
from resx.study.trial import stepping
from resx.training.memory import refuse_large_step
from resx.training.update import WARM_UP

TIMED_STEPS = 3  # after one that allocates and chooses algorithms; the fastest counts
LONG_STEP = 2.0  # seconds; one such step is measure enough
EVALUATION_COST = 1 / 4  # of a training step, an image
REESTIMATION_COST = 1 / 8  # of a training step, a batch
START_UP = 0.5  # seconds a run inside a sweep: build, first steps, files
FRESH_START = 5.0  # seconds until a process has imported torch
RECORD_BYTES = 300  # a record in metrics.jsonl and in TensorBoard's file
CHECKPOINT_BYTES = 2 * 2 * 4  # a parameter: two checkpoints, weight and momentum, float32


def forecast(asked: Asked) -> Forecast:
    """Time and disk of these runs, and how they share the cores.

    Runs that share a GPU are taken to be no faster than one after the other: what they gain is
    known once some are done. Raises `RequestError` as training would.
    """
    if asked.launcher == SLURM:
        return _on_slurm(asked)
    learned = known_here(asked.learned, asked.configs[0].device)
    ours = asked.launcher in (None, "basic") or is_free_joblib(asked.launcher, asked.options)
    way = default_way(asked, learned)
    threads = (
        way.threads if ours else threads_of(asked.launcher or "", asked.options, asked.threads)
    )
    costs = _measured(asked.configs, learned, threads)
    seconds = [cost.training(c.recipe) for c, cost in zip(asked.configs, costs)]
    why = ""
    if ours and (found := tried(asked, learned, [cost.step for cost in costs], seconds)):
        way, slower, why = found
        seconds = [slower * each for each in seconds]
    if not ours:
        way = Way(parallelism(asked.launcher or "", asked.options, len(seconds)), threads or 1)
    launcher = chosen(asked.launcher, way)
    seconds = [each + (FRESH_START if launcher in FRESH else START_UP) for each in seconds]
    on_gpu = pick_device(asked.configs[0].device).type == "cuda" and launcher in SHARING
    time = sum(seconds) if on_gpu else whole(seconds, min(way.jobs, len(seconds)))
    says = clock(time + FRESH_START) + f", {way}" * (way.jobs > 1 or bool(why))
    line = _line(asked, costs, says + f" ({why})" * bool(why))
    asks = {"n_jobs": str(way.jobs)} if is_free_joblib(asked.launcher, asked.options) else {}
    return Forecast(launcher, seconds, line, way, as_settings(asks))


def _on_slurm(asked: Asked) -> Forecast:
    """The machine that asks may be a login node without the GPU that the runs will have."""
    here = is_here(device := asked.configs[0].device)
    on_gpu = (pick_device(device).type if here else device.split(":")[0]) == "cuda"
    workers = max(config.data.workers for config in asked.configs)
    options = {"cpus_per_task": str(workers + 1)} | dict(asked.options)
    # Nothing is taken from earlier runs: a step also shows what memory it takes.
    costs = _measured(asked.configs, {}, threads_of(SLURM, options), here)
    seconds = [cost.training(c.recipe) for c, cost in zip(asked.configs, costs)]
    memory = peak_memory(torch.device("cpu"))
    proposed = asks(max(seconds), memory, workers, on_gpu, asked.options)
    options = proposed | dict(asked.options)
    way = Way(parallelism(SLURM, options, len(seconds)), 1)
    says = f"no prediction of time: device={device} is not here"
    if all(seconds):
        seconds = [each + FRESH_START for each in seconds]
        says = clock(whole(seconds, way.jobs)) + f", {way.jobs} at once" * (way.jobs > 1)
    line = _line(asked, costs, says)
    line += f"; each asks for {' '.join(f'{k}={v}' for k, v in options.items())}"
    known = seconds if all(seconds) else []
    return Forecast(SLURM, known, line, way, as_settings(proposed))


def is_here(device: str) -> bool:
    """Whether this machine has the device: a cluster's login node may lack what its nodes have."""
    try:
        pick_device(device)
    except RequestError:
        return False
    return True


def _line(asked: Asked, costs: Sequence["Cost"], says: str) -> str:
    disk = sum(cost.disk(c.recipe) for c, cost in zip(asked.configs, costs))
    about = "" if says.startswith("no ") else f"predicted for {len(asked.configs)} runs: "
    return f"{about}{says}, {disk / 1e6:.0f} MB on disk"


def _measured(
    configs: Sequence[TrainConfig],
    learned: Mapping[str, Pace],
    threads: int | None,
    here: bool = True,
) -> list["Cost"]:
    """What each run costs, the steps of each kind timed once, with so many threads.

    Not those of the kinds that were `learned` with as many, nor of a device that is not `here`.
    """
    known: dict[str, Cost] = {}
    images: dict[str, Dataset] = {}  # reading them again takes longer than the steps
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)  # as each of the processes has
    try:
        for config in configs:
            if (kind := kind_of(config)) not in known:
                pace = learned.get(kind)
                step = pace.step if pace and pace.threads == torch.get_num_threads() else None
                built = config if here else replace(config, device="cpu", precision="fp32")
                same = f"{built.data} {built.device} {built.outputs}"
                experiment = prepare(built, images.get(same))
                images[same] = experiment.dataset
                known[kind] = _measure(experiment, step if here else 0.0, here)
    finally:
        torch.set_num_threads(before)
    return [known[kind_of(config)] for config in configs]


class Cost(NamedTuple):
    """What a network costs: seconds a step, number of parameters, images by split."""

    step: float
    weights: int
    images: dict[str, int]

    def training(self, recipe: RecipeConfig) -> float:
        """Seconds of all steps and evaluations."""
        # Every split is evaluated at every multiple of eval_every and after the last step, then
        # with batch norm's running averages as well.
        times = -(-recipe.steps // recipe.eval_every)
        images = sum(self.images.values()) * (times + (recipe.bn_reestimate > 0))
        evaluation = images / recipe.batch_size * EVALUATION_COST
        reestimation = times * recipe.bn_reestimate * REESTIMATION_COST
        return (recipe.steps + evaluation + reestimation) * self.step

    def disk(self, recipe: RecipeConfig) -> float:
        """Bytes of a run."""
        return CHECKPOINT_BYTES * self.weights + RECORD_BYTES * recipe.steps / recipe.record_every


def _measure(experiment: Experiment, step: float | None, here: bool) -> Cost:
    """Built in any case, as an impossible network is to be refused before anything runs."""
    if here:
        refuse_large_step(experiment)
    weights, images = parameters(experiment.network), experiment.dataset.sizes
    if step is not None:
        return Cost(step, weights, images)
    make_step = stepping(experiment)
    first = WARM_UP + 1 if experiment.device.type == "cuda" else 1
    times = []
    for _ in range(first + TIMED_STEPS):
        started = time.perf_counter()
        make_step()
        times.append(time.perf_counter() - started)
        if len(times) > first and times[-1] > LONG_STEP:
            break
    return Cost(min(times[first:]), weights, images)
