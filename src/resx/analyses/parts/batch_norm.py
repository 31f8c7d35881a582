"""How batch norm sees the images that an analysis looks at."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from resx.analyses.parts.layers import BatchNorm, batch_norms

BATCH_NORM = ("train", "eval")


def set_mode(network: nn.Module, batch_norm: str) -> None:
    """Evaluation mode, so that nothing is random; with `train` batch norm takes the batch's means.

    So it does at initialisation, whatever is asked: averages that have seen nothing would leave the
    network without normalisation.
    """
    network.eval()
    for norm in batch_norms(network):
        norm.train(batch_norm == "train" or _is_new(norm))


def statistics_used(network: nn.Module, batch_norm: str) -> str:
    """Whose means `set_mode` lets batch norm take: `train`, those of the images, or `eval`."""
    new = any(map(_is_new, batch_norms(network)))
    return "train" if batch_norm == "train" or new else "eval"


def _is_new(norm: BatchNorm) -> bool:
    """Are its averages those it was made with? Of weights from elsewhere no count says so."""
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None:
        return False
    return bool((mean.eq(0)).all() & (variance.eq(1)).all())


@contextmanager
def held_statistics(network: nn.Module, images: Tensor) -> Iterator[None]:
    """Batch norms in training mode get these images' statistics, as constants, in evaluation mode.

    Else the sum over a batch of what leaves a batch norm would be constant, and its gradient zero.
    """
    norms = [norm for norm in batch_norms(network) if norm.training]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    try:
        with torch.no_grad():
            network(images)
        network.eval()
        yield
    finally:
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum
