"""Large images: DataLoader workers decode and crop, everything after the crop is on the device."""

import os
import signal
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from resx.data.augmentation import Normalization, colour_noise, normalize
from resx.data.dataset import Batch, Dataset
from resx.data.decoding import centre_crop, open_image, resize_shorter_side
from resx.data.order import batch_indices
from resx.data.source import Files
from resx.errors import RequestError
from resx.seeding import generator

# Shorter side relative to the crop (He 2015, Sec. 3.4); training starts there, too, where no range
# of sides was asked for.
TEST_SCALE = 256 / 224


class Augmentation(NamedTuple):
    """Of training images: the shorter side, for a crop of 224 pixels, is drawn from a range."""

    flip: bool
    shorter_side: tuple[int, int] | None = None  # as for test images
    colour_noise: float = 0.0  # standard deviation (Krizhevsky 2012, Sec. 4.1)


class StreamDataset(Dataset):
    """Splits that are decoded while they are needed."""

    def __init__(
        self,
        classes: list[str],
        normalization: Normalization,
        fingerprint: str,
        device: torch.device,
        *,
        splits: dict[str, Files],
        image_size: int,
        augmentation: Augmentation,
        crops: int,
        workers: int,
    ) -> None:
        sizes = {name: len(split.labels) for name, split in splits.items()}
        known = classes, 3, image_size, sizes, normalization, fingerprint
        super().__init__(*known, splits["train"].labels)
        self.splits: dict[str, Files] = splits
        self.device, self.augmentation = device, augmentation
        self.crops = crops
        self.workers = min(workers, os.cpu_count() or 1)

    def training_batches(
        self, batch_size: int, seed: int, first_step: int, steps: int | None = None
    ) -> Iterator[Batch]:
        train = self.splits["train"]
        views = TrainingViews(train, self.image_size, self.augmentation, seed)
        order = islice(_positions(len(train.labels), batch_size, seed, first_step), steps)
        for step, (images, labels) in enumerate(self._load(views, order), start=first_step):
            if self.augmentation.colour_noise:
                images = colour_noise(images, seed, step, self.augmentation.colour_noise)
            yield normalize(images, self.normalization.to(self.device)), labels

    def evaluation_batches(self, split: str, batch_size: int) -> Iterator[Batch]:
        files = self.splits["train" if split == "train_clean" else split]
        crops = 1 if split == "train_clean" else self.crops
        views = EvaluationViews(files, self.image_size, crops)
        batches = [
            list(b) for b in torch.arange(len(files.labels)).split(max(batch_size // crops, 1))
        ]
        normalization = self.normalization.to(self.device)
        for images, labels in self._load(views, batches):
            flat = normalize(images.flatten(0, -4), normalization)
            yield (flat if crops == 1 else flat.unflatten(0, (-1, crops))), labels

    def _load(self, views: TorchDataset[Any], batches: Any) -> Iterator[Batch]:
        cuda = self.device.type == "cuda"
        loader = DataLoader(
            views,
            batch_sampler=batches,
            num_workers=self.workers,
            pin_memory=cuda,
            worker_init_fn=leave_signals_to_the_run,
        )
        try:
            for images, labels in loader:
                yield images.to(self.device, non_blocking=cuda), labels.to(self.device)
        except ValueError as error:  # from a worker it comes with a traceback in its text
            raise RequestError(str(error).strip().splitlines()[-1].split("Error: ")[-1]) from None


def leave_signals_to_the_run(worker: int) -> None:
    """Ctrl-C reaches these processes, too, and the run needs them until it has saved."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


class TrainingViews(TorchDataset[tuple[Tensor, Tensor]]):
    """Shorter side drawn from a range, random crop, flip (He 2015, Sec. 3.4).

    An item is asked for as (index, position in the stream); the position decides the draw.
    """

    def __init__(
        self, files: Files, image_size: int, augmentation: Augmentation, seed: int
    ) -> None:
        self.files, self.image_size, self.flip = files, image_size, augmentation.flip
        self.seed = seed
        sides = augmentation.shorter_side or (TEST_SCALE * 224,)
        self.least, self.most = (round(side * image_size / 224) for side in (sides[0], sides[-1]))

    def __getitem__(self, item: tuple[int, int]) -> tuple[Tensor, Tensor]:
        index, position = item
        scale, left, top, mirror = torch.rand(
            4, generator=generator(self.seed, "crop", position)
        ).tolist()
        side = self.least + int(scale * (self.most - self.least + 1))
        image = resize_shorter_side(open_image(self.files.paths[index], side), side)
        x = int(left * (image.width - self.image_size + 1))
        y = int(top * (image.height - self.image_size + 1))
        image = image.crop((x, y, x + self.image_size, y + self.image_size))
        if self.flip and mirror < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return torch.from_numpy(np.array(image)), self.files.labels[index]


class EvaluationViews(TorchDataset[tuple[Tensor, Tensor]]):
    """The centre crop (H, W, 3), or ten crops (10, H, W, 3): corners, centre, and their mirrors.

    Krizhevsky 2012, Sec. 4.1; the shorter side is 256 / 224 of the crop (He 2015, Sec. 3.4).
    """

    def __init__(self, files: Files, image_size: int, crops: int) -> None:
        self.files, self.image_size, self.crops = files, image_size, crops

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        side, size = round(TEST_SCALE * self.image_size), self.image_size
        image = resize_shorter_side(open_image(self.files.paths[index], side), side)
        if self.crops == 1:
            return torch.from_numpy(np.array(centre_crop(image, size))), self.files.labels[index]
        right, bottom = image.width - size, image.height - size
        corners = [(0, 0), (right, 0), (0, bottom), (right, bottom), (right // 2, bottom // 2)]
        pixels = torch.from_numpy(np.array(image))
        crops = torch.stack([pixels[y : y + size, x : x + size] for x, y in corners])
        return torch.cat((crops, crops.flip(2))), self.files.labels[index]


def _positions(
    count: int, batch_size: int, seed: int, first_step: int
) -> Iterator[list[tuple[int, int]]]:
    position = (first_step - 1) * batch_size
    for indices in batch_indices(count, batch_size, seed, first_step):
        yield list(zip(indices.tolist(), range(position, position + batch_size)))
        position += batch_size
