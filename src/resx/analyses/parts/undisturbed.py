"""Whatever an analysis does to a network is undone."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def undisturbed(network: nn.Module) -> Iterator[None]:
    """Weights, buffers, gradients, mode and torch's random state are afterwards as before.

    Within, no parameter has a gradient yet. What is restored is values: a parameter or a buffer
    must stay the same tensor, and hooks are for those who set them to remove.
    """
    tensors = [*network.parameters(), *network.buffers()]
    values = [tensor.detach().clone() for tensor in tensors]
    gradients = [(p, p.grad, p.requires_grad) for p in network.parameters()]
    modes = [(module, module.training) for module in network.modules()]
    devices = sorted({t.device.index for t in tensors if t.device.type == "cuda"})
    for parameter, _, _ in gradients:
        parameter.grad = None
    try:
        with torch.random.fork_rng(devices):
            yield
    finally:
        with torch.no_grad():
            for tensor, value in zip(tensors, values):
                tensor.copy_(value)
        for parameter, gradient, needed in gradients:
            parameter.grad = gradient
            parameter.requires_grad_(needed)
        for module, mode in modes:
            module.training = mode
