"""On which images, and with which statistics of batch norm, an analysis computes a loss."""

from dataclasses import dataclass, fields
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from resx.data.dataset import Batch
from resx.experiment import Experiment

STATISTICS = ("eval", "train")


@dataclass(frozen=True)
class Sample:
    """The first `images` of a split, in order unless `augment`, and the loss of a network on them.

    `batch_norm` says whether batch norm uses its running averages, as when the network is
    evaluated, or those of the images, as when it is trained; `weight_decay` whether the recipe's
    penalty belongs to the loss. Raises `ValueError` for what cannot be.
    """

    split: str
    images: int
    batch_norm: str = "eval"
    weight_decay: bool = False
    augment: bool = False

    def __post_init__(self) -> None:
        if self.images < 2:
            raise ValueError(f"images={self.images}: must be at least 2")
        if self.split not in ("train", "val", "test"):
            raise ValueError(f"split={self.split}: must be one of train, val, test")
        if self.batch_norm not in STATISTICS:
            known = ", ".join(STATISTICS)
            raise ValueError(f"batch_norm={self.batch_norm}: must be one of {known}")
        if self.augment and self.split != "train":
            raise ValueError(f"augment={self.augment}: only training images are augmented")

    @property
    def options(self) -> dict[str, Any]:
        """To be recorded."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def of(self, experiment: Experiment) -> Batch:
        """Images (N, C, H, W) and labels (N,) on the experiment's device."""
        if self.augment:
            # The same seed for all, so that twins see the same crops.
            batches = experiment.dataset.training_batches(self.images, seed=0, first_step=1)
            return next(iter(batches))
        return first_images(experiment, self.split, self.images)

    def prepare(self, network: nn.Module) -> None:
        """Put all modules in evaluation mode, but batch norm in the mode that was asked for.

        Averages that have seen nothing yet would leave a network without normalisation: at
        initialisation the statistics are those of the images. Then, as with `train`, averages move
        at every pass, and `undisturbed` brings them back.
        """
        network.eval()
        for module in network.modules():
            if isinstance(module, _BatchNorm):
                module.train(self.batch_norm == "train" or _is_new(module))

    def decay(self, experiment: Experiment) -> float:
        """The factor of |weights|^2 / 2 in the loss."""
        return experiment.config.recipe.weight_decay if self.weight_decay else 0.0


def _is_new(norm: _BatchNorm) -> bool:
    """Are its averages those it was made with? Of weights from elsewhere no count says so."""
    mean, variance = norm.running_mean, norm.running_var
    return (
        mean is not None
        and variance is not None
        and bool((mean == 0).all() & (variance == 1).all())
    )


def first_images(experiment: Experiment, split: str, images: int) -> Batch:
    """Not augmented. Several crops of an image count as several images.

    Raises `ValueError` if there is no such split.
    """
    if split not in experiment.dataset.sizes:
        raise ValueError(f"split={split}: the data set has none")
    name = "train_clean" if split == "train" else split
    x, labels = next(iter(experiment.dataset.evaluation_batches(name, images)))
    if x.ndim == 5:
        x, labels = x.flatten(0, 1), labels.repeat_interleave(x.shape[1])
    return x[:images], labels[:images]


@torch.no_grad()
def error_on(network: nn.Module, batch: Batch) -> float:
    """The share of images that the network, in the mode in which it is, takes for another class."""
    images, labels = batch
    return float((network(images).argmax(1) != labels).float().mean())


def penalized_loss(network: nn.Module, batch: Batch, decay: float) -> Tensor:
    """Mean cross-entropy, and decay / 2 * |weights|^2."""
    images, labels = batch
    loss = F.cross_entropy(network(images), labels)
    if decay:
        loss = (
            loss + decay / 2 * torch.stack([p.square().sum() for p in network.parameters()]).sum()
        )
    return loss


def identity(experiment: Experiment) -> dict[str, Any]:
    """The columns by which rows of one network are known."""
    config = experiment.config
    known = {"depth": config.depth, "residual": config.residual, "seed": config.seed}
    return known | {"step": experiment.step}
