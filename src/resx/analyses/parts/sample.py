"""On which images, and with which statistics of batch norm, an analysis computes a loss."""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resx.analyses.parts.batch_norm import BATCH_NORM, set_mode
from resx.data.dataset import Batch
from resx.data.source import class_balanced
from resx.experiment import Experiment

BATCH = 128  # images at a time, where no gradient is taken


@dataclass(frozen=True)
class Sample:
    """So many `images` of a split, and how the loss of a network on them is computed.

    `batch_norm` says whether batch norm uses its running averages, as when the network is
    evaluated, or those of the images, as when it is trained; `weight_decay` whether the recipe's
    penalty belongs to the loss; `augment` whether images are those of the first training batch.
    Raises `ValueError` for what cannot be.
    """

    split: str
    images: int
    batch_norm: str = "eval"
    weight_decay: bool = False
    augment: bool = False

    def __post_init__(self) -> None:
        if self.images < 2:
            raise ValueError(f"images={self.images}: must be at least 2")
        if self.batch_norm not in BATCH_NORM:
            known = ", ".join(BATCH_NORM)
            raise ValueError(f"batch_norm={self.batch_norm}: must be one of {known}")
        if self.augment and self.split != "train":
            raise ValueError(f"augment=true: split={self.split} is never augmented")

    def size(self, experiment: Experiment) -> int:
        """How many images there are of those: all if the split has fewer.

        Raises `ValueError` for a split that is not there.
        """
        sizes = experiment.dataset.sizes
        if self.split not in sizes:
            raise ValueError(f"split={self.split}: must be one of {', '.join(sorted(sizes))}")
        return min(self.images, sizes[self.split])

    def of(self, experiment: Experiment) -> Batch:
        """Images (N, C, H, W) and labels (N,) on the experiment's device.

        Drawn class by class, the same for every network; augmented ones are the first batch of the
        network's own seed.
        """
        count, dataset = self.size(experiment), copy(experiment.dataset)
        if self.augment:
            seed = experiment.config.seed
            return next(dataset.training_batches(count, seed, first_step=1, steps=1))
        labels = dataset.splits[self.split].labels
        chosen, _ = class_balanced(labels.cpu(), count, "analysis")
        taken = dataset.splits[self.split].take(chosen.to(labels.device))
        dataset.splits = {**dataset.splits, self.split: taken}
        name = "train_clean" if self.split == "train" else self.split
        batches = dataset.evaluation_batches(name, count * 10)  # ten crops count as ten images
        images, labels = next(iter(batches))
        return images if images.ndim == 4 else images[:, -1], labels

    def prepare(self, network: nn.Module) -> None:
        """Put all modules in evaluation mode, but batch norm in the mode that was asked for."""
        set_mode(network, self.batch_norm)

    def decay(self, experiment: Experiment) -> float:
        """The factor of |weights|^2 / 2 in the loss, over all parameters.

        Raises `ValueError` for a recipe whose penalty is another: of some parameters, or AdamW's.
        """
        recipe = experiment.config.recipe
        if not self.weight_decay:
            return 0.0
        if recipe.optimizer != "sgd" or not recipe.decay_norms:
            raise ValueError(
                f"weight_decay=true: the penalty of recipe {recipe.name} is not that of all"
                " parameters in the loss"
            )
        return recipe.weight_decay


def first_images(experiment: Experiment, images: int) -> Iterator[Tensor]:
    """The first training images in order, not augmented: (B, C, H, W)."""
    left = images
    for x, _ in experiment.dataset.evaluation_batches("train_clean", min(BATCH, images)):
        if left <= 0:
            return
        yield x[:left].flatten(0, -4)
        left -= len(x)


def penalized_loss(network: nn.Module, batch: Batch, decay: float = 0.0) -> Tensor:
    """Mean cross-entropy, and (decay / 2) |w|^2 of all parameters."""
    images, labels = batch
    loss = F.cross_entropy(network(images), labels)
    if decay:
        loss = loss + decay / 2 * sum(p.square().sum() for p in network.parameters())
    return loss


@torch.no_grad()
def error_on(network: nn.Module, batch: Batch) -> float:
    """The share of images that the network, in the mode in which it is, takes for another class."""
    images, labels = batch
    return float((network(images).argmax(1) != labels).float().mean())
