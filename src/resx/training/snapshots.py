"""Weights that are kept along training, for analyses to look at later."""

from typing import Any

from torch import Tensor, nn

from resx.store import checkpoint
from resx.store.run import Run


class Snapshots:
    """A probe that keeps the weights and buffers of some steps in the run's directory.

    `header` makes each file speak for itself, as a checkpoint does; it has no optimizer, so that
    training cannot go on from it.
    """

    def __init__(self, run: Run, header: dict[str, Any], steps: list[int]) -> None:
        self.run, self.header, self.steps = run, header, frozenset(steps)

    def is_due(self, step: int) -> bool:
        return step in self.steps

    def __call__(self, step: int, network: nn.Module, images: Tensor, labels: Tensor) -> None:
        self.keep(step, network)

    def keep(self, step: int, network: nn.Module) -> None:
        """Raises OSError if the disk is full."""
        state = {"model": network.state_dict(), "step": step}
        checkpoint.write(self.run.snapshot(step), self.header | {"state": state})
