"""Activation checkpointing: compute the blocks' activations twice to keep fewer of them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

from torch import nn
from torch.utils.checkpoint import checkpoint


def checkpoint_activations(network: nn.Module) -> None:
    """Recompute every block of a stage in the backward pass (Chen 2016, arXiv:1604.06174).

    Results stay bit-identical: the second pass leaves batch norm's running statistics alone.
    """
    for name, stage in network.named_children():
        if name.startswith("stage"):
            for block in stage.children():
                block.forward = partial(_forward_twice, block, block.forward)


def _forward_twice(block: nn.Module, forward: Any, x: Any) -> Any:
    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _frozen_statistics(block)

    return checkpoint(forward, x, use_reentrant=False, context_fn=contexts)


@contextmanager
def _frozen_statistics(block: nn.Module) -> Iterator[None]:
    norms = [m for m in block.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum
            if norm.training and norm.num_batches_tracked is not None:
                norm.num_batches_tracked -= 1
