"""Small images: all of them as uint8 on the device, a batch is one gather there."""

from collections.abc import Iterator
from itertools import islice

import torch

from resx.data.augmentation import CropAndFlip, Normalization, normalize
from resx.data.dataset import Batch, Dataset
from resx.data.order import batch_indices
from resx.data.source import Pixels


class MemoryDataset(Dataset):
    """Splits that live on the device."""

    def __init__(
        self,
        classes: list[str],
        normalization: Normalization,
        fingerprint: str,
        device: torch.device,
        *,
        splits: dict[str, Pixels],
        pad: int,
        flip: bool,
        padding: str = "zero",
    ) -> None:
        _, height, _, channels = splits["train"].images.shape
        sizes = {name: len(split.labels) for name, split in splits.items()}
        known = classes, channels, height, sizes, normalization, fingerprint
        super().__init__(*known, splits["train"].labels)
        self.splits: dict[str, Pixels] = {
            name: Pixels(split.images.to(device), split.labels.to(device))
            for name, split in splits.items()
        }
        self.device = device
        self.pad, self.padding, self.flip = pad, padding, flip

    def training_batches(
        self, batch_size: int, seed: int, first_step: int, steps: int | None = None
    ) -> Iterator[Batch]:
        train = self.splits["train"]
        normalization = self.normalization.to(self.device)
        augment = CropAndFlip(train.images, normalization, self.pad, self.flip, self.padding)
        order = islice(batch_indices(len(train.labels), batch_size, seed, first_step), steps)
        for step, indices in enumerate(order, start=first_step):
            indices = indices.to(self.device)
            yield augment(indices, seed, step), train.labels[indices]

    def evaluation_batches(self, split: str, batch_size: int) -> Iterator[Batch]:
        pixels = self.splits["train" if split == "train_clean" else split]
        normalization = self.normalization.to(self.device)
        for images, labels in zip(pixels.images.split(batch_size), pixels.labels.split(batch_size)):
            yield normalize(images, normalization), labels
