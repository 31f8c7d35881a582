"""Augmentation as tensor operations on the device; what is drawn is a function of (seed, step)."""

from typing import NamedTuple

import torch
from torch import Tensor

from resx.device import sent
from resx.distributed import Part
from resx.seeding import generator

WHOLE = Part()

# Principal components of the colours of ImageNet's training pixels in [0, 1], and their standard
# deviations: the colour noise of Krizhevsky 2012, Sec. 4.1, which He 2015, Sec. 3.4 uses.
# Values as in facebookarchive/fb.resnet.torch, datasets/imagenet.lua.
PCA_STD = (0.2175, 0.0188, 0.0045)
PCA_COMPONENTS = (
    (-0.5675, 0.7192, 0.4009),
    (-0.5808, -0.0045, -0.8140),
    (-0.5836, -0.6948, 0.4203),
)


class Normalization(NamedTuple):
    """(x / 255 - mean) / std, with mean (H, W, C) or (C,) and std (C,)."""

    mean: Tensor
    std: Tensor

    def to(self, device: torch.device) -> "Normalization":
        return Normalization(self.mean.to(device), self.std.to(device))


def normalize(images: Tensor, normalization: Normalization) -> Tensor:
    """uint8 (N, H, W, C) -> float32 (N, C, H, W), in channels_last memory without a copy."""
    mean, std = (255 * part for part in normalization)
    size = images.shape[1:]
    # Rows of pixels, not pixels: a loop over three channels inside takes four times as long.
    rows = images.float().flatten(2).sub_(mean.expand(size).flatten(1))
    return rows.div_(std.expand(size[1:]).flatten()).view(images.shape).permute(0, 3, 1, 2)


class CropAndFlip:
    """Pad, crop at random, flip every second image (He 2015, Sec. 4.2: 4 pixels, crops of 32).

    Zero padding comes after the mean is subtracted: the border is zero, which is the mean.
    """

    def __init__(
        self,
        images: Tensor,
        normalization: Normalization,
        pad: int,
        flip: bool,
        padding: str = "zero",
    ) -> None:
        """`images`: all of them, uint8 (N, H, W, C); a mirrored border is narrower than they."""
        count, height, width, channels = images.shape
        self.pad, self.flip = pad, flip
        self.rows, self.columns = (torch.arange(n, device=images.device) for n in (height, width))
        shape = (count, height + 2 * pad, width + 2 * pad, channels)
        self.images = images
        mean = (255 * normalization.mean).expand(height, width, channels)
        self.mean, self.std = mean, 255 * normalization.std
        if pad and padding == "reflect":
            rows, columns = _mirrored(height, pad), _mirrored(width, pad)
            self.images = images[:, rows][:, :, columns]
            self.mean = mean[rows][:, columns]
        elif pad:
            inside = (slice(pad, pad + height), slice(pad, pad + width))
            self.images = torch.zeros(shape, dtype=torch.uint8, device=images.device)
            self.images[:, *inside] = images
            self.mean = torch.zeros(shape[1:], device=images.device)
            self.mean[inside] = mean

    def draw(self, count: int, seed: int, step: int) -> Tensor:
        """Upper and left edge of each crop and whether it is mirrored: int64 (count, 3), CPU."""
        draws = generator(seed, "augment", step)
        upper, left = torch.randint(2 * self.pad + 1, (2, count, 1), generator=draws)
        mirrored = torch.zeros(count, 1, dtype=torch.int64)
        if self.flip:
            mirrored = (torch.rand(count, 1, generator=draws) < 0.5).long()
        return torch.cat((upper, left, mirrored), 1)

    def __call__(self, indices: Tensor, drawn: Tensor) -> Tensor:
        """Which images (B,), and what was drawn (B, 3) -> float32 (B, C, H, W), channels_last.

        Both lie beside the images; nothing is read from the device.
        """
        upper, left, mirrored = drawn.split(1, 1)
        rows, columns = upper + self.rows, left + self.columns
        if self.flip:
            columns = torch.where(mirrored.bool(), columns.flip(1), columns)
        # One gather for all crops and flips of the batch: a mirrored crop reads its columns
        # from right to left.
        rows, columns = rows[:, :, None], columns[:, None, :]
        images = self.images[indices[:, None, None], rows, columns].float()
        return images.sub_(self.mean[rows, columns]).div_(self.std).permute(0, 3, 1, 2)


def _mirrored(size: int, pad: int) -> Tensor:
    """Indices of a row with `pad` pixels more on each side, the outermost pixel as the mirror."""
    index = torch.arange(-pad, size + pad).abs()
    return torch.where(index < size, index, 2 * (size - 1) - index)


def colour_noise(
    images: Tensor, seed: int, step: int, std: float = 0.1, part: Part = WHOLE
) -> Tensor:
    """Add a random multiple of each principal component, N(0, std), to all pixels of an image.

    uint8 or float (N, H, W, 3) -> float32 (N, H, W, 3), pixels in [0, 255] (Krizhevsky 2012, 4.1).
    They are a part of a batch of N images for each process.
    """
    draws, batch = generator(seed, "colour", step), len(images) * part.world
    alpha = std * torch.randn(batch, 3, generator=draws)[part.of(batch)]
    shift = 255 * ((alpha * torch.tensor(PCA_STD)) @ torch.tensor(PCA_COMPONENTS).T)
    rows = shift[:, None, :].expand(-1, images.shape[2], -1).flatten(1)
    return (images.flatten(2) + sent(rows, images.device)[:, None, :]).view(images.shape)
