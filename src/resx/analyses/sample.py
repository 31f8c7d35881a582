"""On which images, and with which statistics of batch norm, an analysis computes a loss."""

from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import nn

from resx.analyses.inputs import BATCH_NORM, draw_images, set_mode
from resx.data.dataset import Batch
from resx.experiment import Experiment


@dataclass(frozen=True)
class Sample:
    """So many `images` of a split, and how the loss of a network on them is computed.

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
        if self.batch_norm not in BATCH_NORM:
            known = ", ".join(BATCH_NORM)
            raise ValueError(f"batch_norm={self.batch_norm}: must be one of {known}")
        if self.augment and self.split != "train":
            raise ValueError(f"augment={self.augment}: only training images are augmented")

    @property
    def options(self) -> dict[str, Any]:
        """To be recorded."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def of(self, experiment: Experiment) -> Batch:
        """Images (N, C, H, W) and labels (N,) on the experiment's device, drawn class by class."""
        return draw_images(experiment, self.split, self.images, self.augment)

    def prepare(self, network: nn.Module) -> None:
        """Put all modules in evaluation mode, but batch norm in the mode that was asked for."""
        set_mode(network, self.batch_norm)

    def decay(self, experiment: Experiment) -> float:
        """The factor of |weights|^2 / 2 in the loss."""
        return experiment.config.recipe.weight_decay if self.weight_decay else 0.0


@torch.no_grad()
def error_on(network: nn.Module, batch: Batch) -> float:
    """The share of images that the network, in the mode in which it is, takes for another class."""
    images, labels = batch
    return float((network(images).argmax(1) != labels).float().mean())
