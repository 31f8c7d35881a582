"""The first losses of every family, as data: `python -m tests.models.golden > new.json`.

The file holds one record a machine; this machine's is replaced, or added. With
ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 a CPU counts as one without AVX-512.
"""

import json
import platform
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from resx.config.composing import compose
from resx.data.dataset import Dataset
from resx.data.loading import load_dataset
from resx.models.building import build_network
from resx.training.state import make_optimizer
from resx.training.step import train_step

GOLDEN = Path(__file__).with_name("golden.json")
STEPS, LR = 20, 0.02
CPU = torch.device("cpu")
# Narrow and shallow; every kind of block and both layouts are there.
NETWORKS = {
    "densenet": "model=densenet depth=13",
    "densenet-bc": "model=densenet depth=16 block=bottleneck",
    "highway": "model=highway depth=8",
    "highway-linear": "model=highway depth=10 block=linear",
    "preact": "model=preact depth=8",
    "preact-bottleneck": "model=preact depth=11 block=bottleneck",
    "resnet": "model=resnet depth=8",
    "resnet-bottleneck": "model=resnet depth=11 block=bottleneck",
    "resnet-18": "model=resnet depth=18 model.width=16",
    "resnext": "model=resnext depth=11 model.width=16 model.cardinality=4 model.base_width=16",
    "vit": "model=vit depth=2",
    "wide": "model=wide depth=10 model.widening=2",
}
SHAPES = {"digits": (1, 8), "cifar": (3, 32)}  # channels and pixels
# A fully connected highway of 50 units on CIFAR-sized noise diverges: its losses say nothing.
CASES = [
    (name, data, residual)
    for name in NETWORKS
    for data in SHAPES
    for residual in (True, False)
    if (name, data) != ("highway-linear", "cifar")
]


def case_name(name: str, data: str, residual: bool) -> str:
    return f"{name} {data} {'residual' if residual else 'plain'}"


def machine() -> dict[str, str]:
    """What decides the bits of a loss, on one thread."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "torch": torch.__version__,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "processor": names[0] if names else platform.processor(),
    }


composed = cache(compose)  # composing takes longer than the steps


@cache
def digits() -> Dataset:
    with TemporaryDirectory() as folder:
        return load_dataset(composed().data, CPU, Path(folder), [])


def batches(data: str) -> Iterator[tuple[Tensor, Tensor]]:
    """32 digits a step, or 16 images of noise in CIFAR's size."""
    if data == "digits":
        yield from digits().training_batches(32, 0, 1)
    draws = torch.Generator().manual_seed(0)
    while True:
        images = torch.randn(16, 32, 32, 3, generator=draws).permute(0, 3, 1, 2)
        yield images, torch.randint(10, (16,), generator=draws)


def losses(name: str, data: str, residual: bool, count: int = STEPS) -> list[float]:
    """The losses of the first steps with the default recipe's optimizer."""
    config = replace(composed(*NETWORKS[name].split()), residual=residual)
    network = build_network(config, 10, *SHAPES[data], CPU).train()
    optimizer = make_optimizer(network, config.recipe)
    steps = zip(range(count), batches(data))
    return [train_step(network, x, labels, optimizer, LR)[0].item() for _, (x, labels) in steps]


def record() -> dict[str, Any]:
    """The losses of all networks on this machine."""
    return machine() | {"losses": {case_name(*case): losses(*case) for case in CASES}}


def main() -> None:
    """Prints the recorded losses of all machines, this one's anew."""
    torch.set_num_threads(1)
    stored = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else []
    others = [r for r in stored if any(r[key] != value for key, value in machine().items())]
    records = sorted([*others, record()], key=lambda r: [r[key] for key in machine()])
    print(json.dumps(records, indent=1))


if __name__ == "__main__":
    main()
