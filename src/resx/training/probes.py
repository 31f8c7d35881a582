"""Looking at a network while it trains, without a word in the training loop."""

from typing import Protocol

from torch import Tensor, nn


class Probe(Protocol):
    """Called after the update of every step at which it is due.

    The gradients of that step's loss still stand in `parameter.grad`. A probe leaves the network
    as it found it: weights, buffers, mode, and torch's random state.
    """

    def is_due(self, step: int) -> bool: ...

    def __call__(self, step: int, network: nn.Module, images: Tensor, labels: Tensor) -> None:
        """images (B, C, H, W) float32 as they were trained on, labels (B,) int64."""
