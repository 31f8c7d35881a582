"""Large images: DataLoader workers decode and crop, everything after the crop is on the device.

Or workers only read, and decoding is on the device, too.
"""

import os
from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import islice

import torch

from resx.data.augmentation import Normalization, colour_noise, normalize
from resx.data.dataset import Batch, Dataset, Inputs
from resx.data.on_device import FileViews, together
from resx.data.order import batch_indices
from resx.data.source import Encoded
from resx.data.views import Augmentation, View, Views
from resx.data.workers import Loaders, Wanted
from resx.device import meanwhile, sent
from resx.errors import RequestError


class StreamDataset(Dataset):
    """Splits that are decoded while they are needed."""

    def __init__(
        self,
        classes: list[str],
        normalization: Normalization,
        fingerprint: str,
        device: torch.device,
        *,
        splits: Mapping[str, Encoded],
        image_size: int,
        augmentation: Augmentation,
        crops: int,
        workers: int,
        decode_on: str,
    ) -> None:
        sizes = {name: len(split.labels) for name, split in splits.items()}
        known = classes, 3, image_size, sizes, normalization, fingerprint
        super().__init__(*known, splits["train"].labels)
        self.splits: Mapping[str, Encoded] = splits
        self.device, self.augmentation = device, augmentation
        self.crops = crops
        self.workers = min(workers, os.cpu_count() or 1)
        self.decode_on = decode_on
        self.stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        self.loaders = self._loaders()

    def training_inputs(
        self, batch_size: int, seed: int, first_step: int, steps: int | None = None
    ) -> Iterator[Inputs]:
        """Augmented images (B, C, H, W) and labels (B,): what workers decoded is not kept."""
        drawn = _drawn(len(self.splits["train"].labels), batch_size, seed, first_step)
        own = self.part.of(batch_size)
        wanted = (views[own] for views in islice(drawn, steps))
        normalization = self.normalization.to(self.device)
        for step, (images, labels) in enumerate(self._load(wanted), start=first_step):
            if self.augmentation.colour_noise:
                strength = self.augmentation.colour_noise
                images = colour_noise(images, seed, step, strength, self.part)
            yield normalize(images, normalization), labels

    def training_batch(self, inputs: Inputs) -> Batch:
        images, labels = inputs
        return images, labels

    def evaluation_batches(self, split: str, batch_size: int) -> Iterator[Batch]:
        crops = 1 if split == "train_clean" else self.crops
        split = "train" if split == "train_clean" else split
        own = self.part.of(len(self.splits[split].labels))
        size = max(batch_size // crops, 1)
        parts = (range(i, min(i + size, own.stop)) for i in range(own.start, own.stop, size))
        wanted = ([View(split, i, crops) for i in each] for each in parts)
        normalization = self.normalization.to(self.device)
        for images, labels in self._load(wanted):
            flat = normalize(images.flatten(0, -4), normalization)
            yield (flat if crops == 1 else flat.unflatten(0, (-1, crops))), labels

    def _load(self, wanted: Wanted) -> Iterator[Batch]:
        if self.loaders.views.splits is not self.splits:  # a copy that looks at part of a split
            self.loaders = self._loaders()
        views, batches = self.loaders.views, self.loaders.batches(wanted)
        if isinstance(views, FileViews):
            for read in batches:
                try:
                    with meanwhile(self.stream) as hand_over:
                        images = hand_over(views.crops(read, self.device))
                except ValueError as error:
                    raise RequestError(str(error)) from None
                yield images, sent(read.labels, self.device)
            return
        overlapped = self.device.type == "cuda"  # only from pinned memory
        for images, labels in batches:
            yield tuple(x.to(self.device, non_blocking=overlapped) for x in (images, labels))

    def _loaders(self) -> Loaders:
        known = self.splits, self.image_size, self.augmentation
        if self.decode_on == "device":
            import_module("torchcodec")  # an extra; where it is missing, nothing else begins
            return Loaders(FileViews(*known), self.workers, pin_memory=False, together=together)
        return Loaders(Views(*known), self.workers, pin_memory=self.device.type == "cuda")


def _drawn(count: int, batch_size: int, seed: int, first_step: int) -> Iterator[list[View]]:
    """What training sees from a step on; the position in its stream decides an image's draw."""
    position = (first_step - 1) * batch_size
    for indices in batch_indices(count, batch_size, seed, first_step):
        yield [View("train", i, draw=(seed, p)) for p, i in enumerate(indices.tolist(), position)]
        position += batch_size
