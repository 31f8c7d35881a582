"""How time and memory of a training step grow with depth, width and batch size, as Markdown.

    python scripts/growth.py > growth.md                     # ResNets on images of CIFAR-10's size
    python scripts/growth.py --depths 20,56 --limit 30 device=cuda precision=bf16

What follows the options are settings of `resx train`, such as checkpoint_activations=true. Every
row is measured in a process of its own, which ends after `--limit` seconds whatever it has done.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from math import log
from statistics import median
from typing import NamedTuple

import torch

from resx.config.composing import compose
from resx.config.schema import TrainConfig
from resx.data.augmentation import Normalization
from resx.data.in_memory import MemoryDataset
from resx.data.source import Pixels
from resx.device import peak_memory, pick_device, reset_peak_memory, set_float32, synchronize
from resx.memory import available_memory
from resx.models.building import build_network, compiled
from resx.models.parts.complexity import flops
from resx.training.memory import needs
from resx.training.state import make_optimizer
from resx.training.update import make_update, may_be_recorded

DEPTHS = "20,32,44,56,110,218,434,866,1202"
WIDTHS = "8,16,32,64,128"
BATCHES = "32,64,128,256,512,1024"
DEPTH, BATCH = 20, 128  # where another of them grows
WARM_UP, STEPS = 5, 5  # steps that allocate and choose algorithms, or are recorded; timed ones
ENOUGH = 20.0  # seconds of steps, after which the ones that were timed are enough
CLASSES, CHANNELS, PIXELS, IMAGES = 10, 3, 32, 2048
LINEAR = 0.1  # how far from 1 the exponent of linear growth may be measured


class Cell(NamedTuple):
    """One measurement: seconds, bytes, and what both should be proportional to."""

    value: int  # of what grows
    seconds: float
    memory: float  # of the step, without torch itself
    estimate: float  # bytes, as `resx info` tells them
    operations: float  # multiply-adds of a step
    why: str = ""  # it could not be measured


def measure(value: int, settings: Sequence[str]) -> Cell:
    """In this process. Raises nothing for what does not fit: the cell says so."""
    config = compose("data=cifar10", "recipe=he2015_cifar", *settings)
    device, batch = pick_device(config.device), config.recipe.batch_size
    set_float32(device, config.precision)
    torch.backends.cudnn.benchmark = True
    meta = build_network(config, CLASSES, CHANNELS, PIXELS, torch.device("meta"))
    shape = CHANNELS, PIXELS
    estimate = needs(meta, config.recipe, shape, batch, config.precision).step
    operations = flops(meta, *shape) / 2 * batch
    if estimate > available_memory(device):
        return Cell(value, 0, 0, estimate, operations, "more than is free")
    images = noise(device)
    steps(compose("depth=8", f"precision={config.precision}", "recipe.batch_size=2"), images)
    reset_peak_memory(device)  # what torch loads at its first step is there already
    before = peak_memory(device)
    times = steps(config, images)
    memory = max(peak_memory(device) - before, 1)  # too little to be seen beside torch itself
    return Cell(value, median(times[WARM_UP:] or times[1:] or times), memory, estimate, operations)


def steps(config: TrainConfig, dataset: MemoryDataset) -> list[float]:
    """Seconds of each of a few."""
    device, recipe = dataset.device, config.recipe
    network = build_network(config, CLASSES, CHANNELS, PIXELS, device).train()
    forward, optimizer = compiled(network, config.compile), make_optimizer(network, recipe)
    parts = forward, dataset, optimizer, recipe, config.precision
    update = make_update(*parts, may_be_recorded(config, network))
    inputs = dataset.training_inputs(recipe.batch_size, 0, 1)
    times: list[float] = []
    while len(times) < WARM_UP + STEPS and sum(times) < ENOUGH:
        started = time.perf_counter()
        update(next(inputs), 0.01)
        synchronize(device)
        times.append(time.perf_counter() - started)
    return times


def noise(device: torch.device) -> MemoryDataset:
    """Images of CIFAR-10's size, cropped and flipped as they are."""
    draws = torch.Generator().manual_seed(0)
    shape = IMAGES, PIXELS, PIXELS, CHANNELS
    images = torch.randint(256, shape, generator=draws, dtype=torch.uint8)
    pixels = Pixels(images, torch.arange(IMAGES) % CLASSES)
    normalization = Normalization(torch.full((CHANNELS,), 0.5), torch.full((CHANNELS,), 0.25))
    known = list(map(str, range(CLASSES))), normalization, "", device
    return MemoryDataset(*known, splits={"train": pixels}, pad=4, flip=True)


def apart(value: int, settings: Sequence[str], limit: float) -> Cell:
    """In a process of its own, so that no peak and no cache is another cell's."""
    command = [sys.executable, __file__, "--cell", str(value), *settings]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return Cell(value, 0, 0, 0, 0, f"over {limit:g} s")
    if done.returncode:
        last = next(iter(done.stderr.strip().splitlines()[-1:]), "")
        return Cell(value, 0, 0, 0, 0, last or f"ended with {done.returncode}")
    return Cell(*json.loads(done.stdout.splitlines()[-1]))


def exponent(before: Cell, after: Cell, amount: str, cause: str) -> float:
    """Of `amount` as a power of `cause` between two rows: 1 is linear growth."""
    (y0, x0), (y1, x1) = ((getattr(c, amount), getattr(c, cause)) for c in (before, after))
    return log(y1 / y0) / log(x1 / x0)


def table(what: str, cells: Sequence[Cell], cause: tuple[str, str]) -> list[str]:
    """Rows, each with its ratios to linear growth from the first; then where growth is linear.

    `cause` names what time and memory should be proportional to: fields of a cell.
    """
    lines = [f"| {what} | ms a step | to linear | memory, GB | to linear | estimate, GB |"]
    lines.append("|---" * 6 + "|")
    for cell in cells:
        if cell.why:
            lines.append(f"| {cell.value} | {cell.why} | | | | {_gb(cell.estimate)} |")
            continue
        first = next(c for c in cells if not c.why)
        ratios = [
            getattr(cell, amount) / getattr(first, amount) * getattr(first, by) / getattr(cell, by)
            for amount, by in zip(("seconds", "memory"), cause)
        ]
        lines.append(
            f"| {cell.value} | {1000 * cell.seconds:.1f} | {ratios[0]:.2f} | {_gb(cell.memory)}"
            f" | {ratios[1]:.2f} | {_gb(cell.estimate)} |"
        )
    measured = [cell for cell in cells if not cell.why]
    for amount, by in zip(("seconds", "memory"), cause):
        lines += ["", sentence(what, measured, amount, by)]
    return lines


def sentence(what: str, cells: Sequence[Cell], amount: str, by: str) -> str:
    """Between which rows an amount grows in proportion, and with which exponent elsewhere."""
    named = {"seconds": "Time", "memory": "Memory"}[amount]
    cause = {"value": what, "operations": "multiply-adds"}[by]
    linear: list[str] = []
    others: list[str] = []
    for before, after in pairwise(cells):
        power = exponent(before, after, amount, by)
        place = f"{before.value} to {after.value}"
        is_linear = abs(power - 1) <= LINEAR
        (linear if is_linear else others).append(place + f" ({power:.2f})" * (not is_linear))
    says = f"{named} in proportion to {cause} (exponent 1, give or take {LINEAR}):"
    says += f" {', '.join(linear) or 'nowhere'}."
    return says + (f" Not so, with the exponent: {', '.join(others)}." if others else "")


def _gb(size: float) -> str:
    return f"{size / 1e9:.2f}" if size else ""


def main(arguments: Sequence[str]) -> int:
    """Writes the tables to standard output; with `--cell` measures one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    for option, values in (("--depths", DEPTHS), ("--widths", WIDTHS), ("--batches", BATCHES)):
        parser.add_argument(option, default=values, help="in ascending order, such as 20,56")
    parser.add_argument("--limit", type=float, default=180, help="seconds a row")
    parser.add_argument("--cell", type=int, help=argparse.SUPPRESS)
    asked, settings = parser.parse_known_args(arguments)
    if asked.cell is not None:
        print(json.dumps(measure(asked.cell, settings)))
        return 0
    fixed = f"depth={DEPTH}", f"recipe.batch_size={BATCH}"
    growing = (
        ("layers", "depth", asked.depths, ("value", "value")),
        ("channels", "model.width", asked.widths, ("operations", "value")),
        ("images", "recipe.batch_size", asked.batches, ("value", "value")),
    )
    asked_for, threads = " ".join(arguments), torch.get_num_threads()
    print(f"Measured by `python scripts/growth.py {asked_for}`, {threads} threads;")
    print(f"where they do not grow {', '.join(fixed)}. `to linear`: 1 is growth in proportion.")
    for what, setting, values, cause in (row for row in growing if row[2]):
        lines = [[*fixed, *settings, f"{setting}={n}"] for n in values.split(",")]
        cells = [apart(int(n), line, asked.limit) for n, line in zip(values.split(","), lines)]
        print("", *table(what, cells, cause), sep="\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
