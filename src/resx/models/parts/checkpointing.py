"""Activation checkpointing: compute the blocks' activations twice to keep fewer of them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from resx.models.parts.layers import may_draw
from resx.models.parts.network import Network


def checkpoint_activations(network: Network) -> None:
    """Recompute every block of a stage in the backward pass (Chen 2016, arXiv:1604.06174).

    Results stay bit-identical: the second pass draws the same random numbers and leaves batch
    norm's running statistics alone.
    """
    # The method is replaced, not the module: a wrapper around the block would rename its weights.
    for _, block in network.blocks():
        block.forward = partial(_forward_twice, block, block.forward)


def _forward_twice(block: nn.Module, forward: Any, x: Any) -> Any:
    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _frozen_statistics(block)

    # Saving torch's random state costs a copy of it a block, and reads the device.
    noisy = any(map(may_draw, block.modules()))
    return checkpoint(
        forward, x, use_reentrant=False, context_fn=contexts, preserve_rng_state=noisy
    )


@contextmanager
def _frozen_statistics(block: nn.Module) -> Iterator[None]:
    """Batch norm computes as in training, but its running statistics stay.

    The second forward pass sees the same batch again: its statistics would count twice. Evaluation
    mode is no way out, as the activations must be those of the first pass.
    """
    norms = [m for m in block.modules() if isinstance(m, _BatchNorm)]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum = 0.0  # running = (1 - momentum) running + momentum batch
        norm.num_batches_tracked = None  # counted without regard to the momentum
    try:
        yield
    finally:
        for norm, (momentum, count) in zip(norms, before):
            norm.momentum, norm.num_batches_tracked = momentum, count
