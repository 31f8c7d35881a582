"""What is cut of a large image: for training at random, for evaluation one crop or ten."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset

from resx.data.decoding import pixels, resized
from resx.data.source import Encoded
from resx.seeding import generator

# Shorter side relative to the crop (He 2015, Sec. 3.4); training starts there, too, where no range
# of sides was asked for.
TEST_SCALE = 256 / 224


class Augmentation(NamedTuple):
    """Of training images: the shorter side, for a crop of 224 pixels, is drawn from a range."""

    flip: bool
    shorter_side: tuple[int, int] | None = None  # as for test images
    colour_noise: float = 0.0  # standard deviation (Krizhevsky 2012, Sec. 4.1)


class View(NamedTuple):
    """What a worker is asked for: an image of a split, as for evaluation or with a draw.

    A draw is a function of the seed and of the position in the stream of training images.
    """

    split: str
    image: int
    crops: int = 1
    draw: tuple[int, int] | None = None


class Views(TorchDataset[tuple[Tensor, Tensor]]):
    """A `View` -> crops of one size, uint8 (H, W, 3) or (crops, H, W, 3), and the label.

    Raises `ValueError` that names an image which cannot be read.
    """

    def __init__(
        self, splits: Mapping[str, Encoded], image_size: int, augmentation: Augmentation
    ) -> None:
        self.splits, self.image_size, self.flip = splits, image_size, augmentation.flip
        sides = augmentation.shorter_side or (TEST_SCALE * 224,)
        self.least, self.most = (round(side * image_size / 224) for side in (sides[0], sides[-1]))

    def __getitem__(self, view: View) -> tuple[Tensor, Tensor]:
        images = self.splits[view.split]
        if view.draw is not None:
            crop = self._drawn(images, view.image, *view.draw)
        else:
            crop = evaluation_view(images, view.image, self.image_size, view.crops)
        return crop, images.labels[view.image]

    def _drawn(self, images: Encoded, index: int, seed: int, position: int) -> Tensor:
        """Shorter side drawn from a range, random crop, flip (He 2015, Sec. 3.4).

        The crop is cut before it is resized, in whole pixels of what was decoded.
        """
        scale, left, top, mirror = torch.rand(4, generator=generator(seed, "crop", position))
        side = self.least + int(scale * (self.most - self.least + 1))
        whole = opened(images, index, side)
        height, width, _ = whole.shape
        cut = max(round(min(height, width) * self.image_size / side), 1)
        y, x = int(top * (height - cut + 1)), int(left * (width - cut + 1))
        crop = resized(whole[y : y + cut, x : x + cut], self.image_size, self.image_size)
        return crop.flip(1) if self.flip and mirror < 0.5 else crop.contiguous()


def evaluation_view(images: Encoded, index: int, size: int, crops: int = 1) -> Tensor:
    """The centre crop (H, W, 3), or ten crops (10, H, W, 3): corners, centre, and their mirrors.

    Krizhevsky 2012, Sec. 4.1; the shorter side is 256 / 224 of the crop (He 2015, Sec. 3.4).
    """
    side = round(TEST_SCALE * size)
    whole = opened(images, index, side)
    height, width = (max(side, round(n * side / min(whole.shape[:2]))) for n in whole.shape[:2])
    whole = resized(whole, height, width)
    bottom, right = height - size, width - size
    centre = (bottom // 2, right // 2)
    corners = [(0, 0), (0, right), (bottom, 0), (bottom, right)]
    cut = [whole[y : y + size, x : x + size] for y, x in [*corners, centre]]
    if crops == 1:
        return cut[-1].contiguous()
    return torch.cat((torch.stack(cut), torch.stack(cut).flip(2)))


def opened(images: Encoded, index: int, at_least: int) -> Tensor:
    """An image whole, uint8 (H, W, 3), not larger than it must be for sides of `at_least`."""
    try:
        return pixels(images.read(index), at_least)
    except Exception as error:  # a decoder raises whatever damaged bytes lead to
        reason = " ".join(str(error).split())
        raise ValueError(f"{images.name(index)}: not a readable image ({reason})") from error
