"""Which images an analysis looks at, how batch norm sees them, and the loss it differentiates."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resx.data.dataset import Batch
from resx.data.source import class_balanced
from resx.experiment import Experiment

BATCH_NORM = ("train", "eval")
BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d


def draw_images(
    experiment: Experiment, split: str = "train", count: int = 256, augment: bool = False
) -> Batch:
    """Images (N, C, H, W) and labels (N,), drawn class by class, the same for every network.

    N is `count`, or all if the split has fewer; without augmentation unless `augment`, which draws
    the first training batch of that size. Raises `ValueError` for a split that is not there.
    """
    dataset = copy(experiment.dataset)
    if split not in dataset.sizes:
        raise ValueError(f"split={split}: must be one of {', '.join(sorted(dataset.sizes))}")
    if count < 2:
        raise ValueError(f"images={count}: must be at least 2")
    if augment:
        if split != "train":
            raise ValueError(f"augment=true: split={split} is never augmented")
        return next(dataset.training_batches(count, experiment.config.seed, first_step=1))
    labels = dataset.splits[split].labels
    chosen, _ = class_balanced(labels.cpu(), count, "analysis")
    taken = dataset.splits[split].take(chosen.to(labels.device))
    dataset.splits = {**dataset.splits, split: taken}
    name = "train_clean" if split == "train" else split
    batches = list(dataset.evaluation_batches(name, count * 10))  # ten crops count as ten images
    images, labels = batches[0]
    return images if images.ndim == 4 else images[:, -1], labels


def set_mode(network: nn.Module, batch_norm: str) -> None:
    """Evaluation mode, so that nothing is random; batch norm may take the batch's statistics.

    So it does at initialisation, whatever is asked: averages that have seen nothing would leave the
    network without normalisation. Raises `ValueError` for another choice than `train` and `eval`.
    """
    if batch_norm not in BATCH_NORM:
        raise ValueError(f"batch_norm={batch_norm}: must be one of {', '.join(BATCH_NORM)}")
    network.eval()
    for norm in batch_norms(network):
        norm.train(batch_norm == "train" or _is_new(norm))


def _is_new(norm: BatchNorm) -> bool:
    """Are its averages those it was made with? Of weights from elsewhere no count says so."""
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None:
        return False
    return bool((mean.eq(0)).all() & (variance.eq(1)).all())


def batch_norms(network: nn.Module) -> list[BatchNorm]:
    return [module for module in network.modules() if isinstance(module, BatchNorm)]


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


def objective(
    experiment: Experiment, images: Tensor, labels: Tensor, weight_decay: bool = False
) -> Tensor:
    """Mean cross-entropy, if asked with the penalty of the recipe's weight decay."""
    decay = experiment.config.recipe.weight_decay if weight_decay else 0.0
    return penalized_loss(experiment.network, (images, labels), decay)


def penalized_loss(network: nn.Module, batch: Batch, decay: float) -> Tensor:
    """Mean cross-entropy, and (decay / 2) |w|^2."""
    images, labels = batch
    loss = F.cross_entropy(network(images), labels)
    if decay:
        loss = loss + decay / 2 * sum(p.square().sum() for p in network.parameters())
    return loss
