"""Small images: all of them as uint8 on the device, a batch is one gather there."""

from collections.abc import Iterator
from itertools import islice

import torch

from resx.data.augmentation import CropAndFlip, Normalization, normalize
from resx.data.dataset import Batch, Dataset, Inputs
from resx.data.order import batch_indices
from resx.data.source import Pixels
from resx.device import sent_ahead


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
        self._cropped: CropAndFlip | None = None
        self._cropped_of: tuple[object, ...] = ()

    def training_inputs(
        self, batch_size: int, seed: int, first_step: int, steps: int | None = None
    ) -> Iterator[Inputs]:
        """Which image, and what was drawn for its crop and flip: int64 (B, 4) of each step."""
        count, crops, own = self.sizes["train"], self._crops(), self.part.of(batch_size)
        order = islice(batch_indices(count, batch_size, seed, first_step), steps)
        drawn = (
            torch.cat((indices[:, None], crops.draw(batch_size, seed, step)), 1)[own]
            for step, indices in enumerate(order, start=first_step)
        )
        return ((each,) for each in sent_ahead(drawn, self.device))

    def training_batch(self, inputs: Inputs) -> Batch:
        (drawn,) = inputs
        indices = drawn[:, 0]
        return self._crops()(indices, drawn[:, 1:]), self.splits["train"].labels[indices]

    def _crops(self) -> CropAndFlip:
        """Padding all images takes longer than a step: it is done again only for other images."""
        of = self.splits["train"].images, self.normalization
        if self._cropped is None or any(a is not b for a, b in zip(self._cropped_of, of)):
            images, normalization = of[0], of[1].to(self.device)
            self._cropped_of = of
            self._cropped = CropAndFlip(images, normalization, self.pad, self.flip, self.padding)
        return self._cropped

    def evaluation_batches(self, split: str, batch_size: int) -> Iterator[Batch]:
        pixels = self.splits["train" if split == "train_clean" else split]
        normalization = self.normalization.to(self.device)
        own = self.part.of(len(pixels.labels))
        for first in range(own.start, own.stop, batch_size):
            batch = slice(first, min(first + batch_size, own.stop))
            yield normalize(pixels.images[batch], normalization), pixels.labels[batch]
