"""A data set ready to train on: splits, normalisation, batches on the device."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from resx.data.augmentation import Normalization
from resx.data.source import Images
from resx.distributed import Part

Batch = tuple[Tensor, Tensor]
Inputs = tuple[Tensor, ...]


class Dataset(ABC):
    """`sizes` counts the images of each split: train, test, and val where some are held out.

    Its batches are of the whole, or of this process's `part`, which several processes share.

    `chance` is the error of naming every training image as their most frequent class.
    """

    splits: Mapping[str, Images]
    part = Part()  # of every batch and every split, where several processes share them

    def __init__(
        self,
        classes: list[str],
        channels: int,
        image_size: int,
        sizes: dict[str, int],
        normalization: Normalization,
        fingerprint: str,
        training_labels: Tensor,
    ) -> None:
        self.classes, self.channels, self.image_size = classes, channels, image_size
        self.sizes, self.normalization, self.fingerprint = sizes, normalization, fingerprint
        self.chance = 1 - float(training_labels.bincount().max()) / len(training_labels)

    def training_batches(
        self, batch_size: int, seed: int, first_step: int, steps: int | None = None
    ) -> Iterator[Batch]:
        """Augmented images (B, C, H, W) float32 channels_last and labels (B,) of each step.

        Of `batch_size` images B are this process's part: in order, of what one alone would have.
        So many `steps`, or without end; workers decode nothing beyond the last.
        """
        inputs = self.training_inputs(batch_size, seed, first_step, steps)
        return map(self.training_batch, inputs)

    @abstractmethod
    def training_inputs(
        self, batch_size: int, seed: int, first_step: int, steps: int | None = None
    ) -> Iterator[Inputs]:
        """What `training_batch` makes each step's batch of, on the device, of constant shapes.

        A function of (seed, step); on CUDA no step waits until it is there.
        """

    @abstractmethod
    def training_batch(self, inputs: Inputs) -> Batch:
        """The same operations at every step, on the device alone: a CUDA graph can record them."""

    @abstractmethod
    def evaluation_batches(self, split: str, batch_size: int) -> Iterator[Batch]:
        """The split once, in order and not augmented; images (B, C, H, W) or (B, views, C, H, W).

        `train_clean` is the training split.
        """


def channel_statistics(pixels: Tensor, per_pixel: bool) -> Normalization:
    """Mean and standard deviation of images (N, H, W, C) uint8, in [0, 1].

    Per channel: mean (C,), std (C,). Per pixel (He 2015, Sec. 4.2): mean (H, W, C) and one std for
    all channels; the paper does not divide, but the first batch norm undoes one common factor.
    """
    count, _, _, channels = pixels.shape
    total = torch.zeros(pixels.shape[1:], dtype=torch.float64)
    squares = torch.zeros(channels, dtype=torch.float64)
    for chunk in pixels.split(4096):
        values = chunk.to(torch.float64) / 255
        total += values.sum(0)
        squares += values.square().sum((0, 1, 2))
    mean_image = total / count
    mean, square = mean_image.mean((0, 1)), squares / (count * mean_image[..., 0].numel())
    if per_pixel:
        std = (square.mean() - mean_image.square().mean()).sqrt().expand(channels)
        return Normalization(mean_image.float(), std.float().clamp_min(1e-3).contiguous())
    std = (square - mean.square()).clamp_min(0).sqrt()
    return Normalization(mean.float(), std.float().clamp_min(1e-3))
