"""Loops that take turns, so that whatever else the machine does meets all of them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

import torch

from resx.device import synchronize
from resx.speed.textbook import Loop
from resx.training import update

WARM_UP = 2  # steps that allocate and choose algorithms
ON_CUDA = update.WARM_UP + 2  # of them there, with the one that is recorded


@dataclass(frozen=True)
class Turns:
    """Seconds a step in every turn of a loop, and of making its batches alone."""

    steps: list[float]
    fetches: list[float]

    @property
    def step(self) -> float:
        return median(self.steps)

    @property
    def fetch(self) -> float:
        return median(self.fetches)


def take_turns(
    loops: Mapping[str, Loop], steps: int, repeats: int, device: torch.device
) -> dict[str, Turns]:
    """`repeats` turns of `steps` steps for each.

    A turn makes all of its batches itself and none for later: nothing is made while another loop is
    measured.
    """
    for loop in loops.values():
        _steps(loop, ON_CUDA if device.type == "cuda" else WARM_UP, device)
    turns = {name: Turns([], []) for name in loops}
    for _ in range(repeats):
        for name, loop in loops.items():
            turns[name].steps.append(_steps(loop, steps, device))
            turns[name].fetches.append(_fetches(loop, steps, device))
    return turns


def _steps(loop: Loop, steps: int, device: torch.device) -> float:
    synchronize(device)
    started = time.perf_counter()
    for fetched in loop.fetch(steps):
        loop.train(fetched)
    synchronize(device)
    return (time.perf_counter() - started) / steps


def _fetches(loop: Loop, steps: int, device: torch.device) -> float:
    synchronize(device)
    started = time.perf_counter()
    for fetched in loop.fetch(steps):
        loop.batch(fetched)
    synchronize(device)
    return (time.perf_counter() - started) / steps
