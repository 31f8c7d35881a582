"""`resx bench`: our training loop beside the textbook loop and what the machine could do."""

import os

import torch

from resx.config.composing import Typed
from resx.config.precision import has_native_bf16
from resx.config.requests import BenchConfig
from resx.errors import RequestError
from resx.experiment import Experiment, prepare
from resx.speed.report import Speed, measure
from resx.training.memory import refuse_large_step


def main(config: BenchConfig, typed: Typed) -> int:
    """Prints a row a loop, the parts of our step, and how near it comes to the bound."""
    experiment = prepare(config)
    batch = config.recipe.batch_size
    if experiment.dataset.sizes["train"] < batch:
        raise RequestError(f"recipe.batch_size={batch}: more than there are training images")
    refuse_large_step(experiment)
    precisions = ["fp32", "bf16"] if has_native_bf16(experiment.device.type) else ["fp32"]
    precisions += [config.precision] * (config.precision not in precisions)
    print(heading(config, experiment), end="\n\n")
    print("\n".join(table(measure(config, experiment, precisions))))
    return 0


def heading(config: BenchConfig, experiment: Experiment) -> str:
    threads = f", {torch.get_num_threads()} threads" * (experiment.device.type == "cpu")
    return (
        f"{experiment.network.title}, {config.data.name} at {experiment.dataset.image_size} pixels,"
        f" batch {config.recipe.batch_size}, {experiment.device}{threads} of {os.cpu_count()}\n"
        f"medians of {config.repeats} interleaved turns of {config.steps} steps"
    )


def table(speed: Speed) -> list[str]:
    """What a person reads of it."""
    batch = speed.batch_size
    lines = [f"{'loop':10} {'ms a step':>10} {'images/s':>10} {'ratio':>7} {'input alone':>14}"]
    for name, turns in speed.turns.items():
        ratio = speed.turns["textbook"].step / turns.step
        lines.append(
            f"{name:10} {1000 * turns.step:10.1f} {batch / turns.step:10,.0f} {ratio:7.2f}"
            f" {batch / turns.fetch:10,.0f} im/s"
        )
    for name, own in speed.own.items():
        parts = ", ".join(f"{k} {1000 * v:.1f}" for k, v in own.phases._asdict().items())
        bound, busy = own.bound, ""
        if own.kernels is not None:
            busy = f"; the GPU is busy {100 * own.kernels / speed.turns[name].step:.0f} % of a step"
        lines += [
            "",
            f"{name}: {parts} ms; peak memory of the process {own.memory / 1e9:.2f} GB{busy}",
            f"  bound {1000 * bound.total:.1f} ms (products alone {1000 * bound.products:.1f}, what"
            f" must move between them {1000 * bound.traffic:.1f}):"
            f" the step reaches {100 * bound.total / speed.turns[name].step:.0f} % of it",
            f"  {limit(speed, name)}",
        ]
    return lines


def limit(speed: Speed, name: str) -> str:
    """Whether input or network limits our loop, and of streamed images what a usual input gives."""
    input_alone, network = speed.turns[name].fetch, speed.own[name].phases.network
    said = f"input alone {speed.batch_size / input_alone:,.0f} images/s"
    if speed.workers is not None:
        reference = speed.turns["textbook"].fetch
        said += (
            f" ({speed.workers} workers), {reference / input_alone:.2f} times torchvision's"
            f" reference pipeline with as many ({speed.batch_size / reference:,.0f})"
        )
    slower = "input" if input_alone > network else "network"
    return f"{said}; network alone {speed.batch_size / network:,.0f}: the {slower} limits"
