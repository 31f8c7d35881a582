"""Gradients that are means over the processes of a run: torch's, made repeatable."""

import warnings

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from resx.models.parts.batch_statistics import kept_statistics
from resx.training.step import forward_pass


def averaging(forward: nn.Module) -> DistributedDataParallel:
    """The same network; its buffers are left alone."""
    with warnings.catch_warnings():  # torch 2.14 has another name for the setting, 2.11 has not
        warnings.simplefilter("ignore", FutureWarning)
        return DistributedDataParallel(forward, broadcast_buffers=False)


def settle(forward: nn.Module, shape: tuple[int, ...], precision: str) -> None:
    """A step without effect on images (N, C, H, W) of zeros.

    After its first step torch sums gradients in the order in which they came. Of three processes
    and more that is another rounding, which a run that is gone on from would have later than one
    that was not interrupted.
    """
    device = next(forward.parameters()).device
    labels = torch.zeros(shape[0], dtype=torch.int64, device=device)
    with kept_statistics(forward):
        forward_pass(forward, torch.zeros(shape, device=device), labels, precision)[1].backward()
    forward.zero_grad()
