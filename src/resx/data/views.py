"""What is cut of a large image: for training at random, for evaluation one crop or ten."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
        images, cut = self.splits[view.split], self.cut(view)
        return cut.of(opened(images, view.image, cut.side)), images.labels[view.image]

    def cut(self, view: View) -> "Cut":
        """What a view shows of its image, whoever decodes that."""
        if view.draw is None:
            return EvaluationCut(self.image_size, view.crops)
        seed, position = view.draw
        scale, left, top, mirror = torch.rand(4, generator=generator(seed, "crop", position))
        side = self.least + int(scale * (self.most - self.least + 1))
        mirrored = self.flip and bool(mirror < 0.5)
        return TrainingCut(side, self.image_size, left, top, mirrored)


class TrainingCut(NamedTuple):
    """Shorter side drawn from a range, random crop, flip (He 2015, Sec. 3.4)."""

    side: int  # pixels that the image's shorter side would have
    size: int
    left: Tensor  # where the crop lies, 0 to 1; float32, in whose rounding its pixel is found
    top: Tensor
    mirrored: bool

    def of(self, whole: Tensor) -> Tensor:
        """The crop is cut before it is resized, in whole pixels of what was decoded."""
        height, width, _ = whole.shape
        cut = max(round(min(height, width) * self.size / self.side), 1)
        y, x = int(self.top * (height - cut + 1)), int(self.left * (width - cut + 1))
        crop = resized(whole[y : y + cut, x : x + cut], self.size, self.size)
        return crop.flip(1) if self.mirrored else crop.contiguous()


class EvaluationCut(NamedTuple):
    """The centre crop (H, W, 3), or ten crops (10, H, W, 3): corners, centre, and their mirrors.

    Krizhevsky 2012, Sec. 4.1; the shorter side is 256 / 224 of the crop (He 2015, Sec. 3.4).
    """

    size: int
    crops: int = 1

    @property
    def side(self) -> int:
        """Pixels that the image's shorter side has."""
        return round(TEST_SCALE * self.size)

    def of(self, whole: Tensor) -> Tensor:
        side, size = self.side, self.size
        height, width = (max(side, round(n * side / min(whole.shape[:2]))) for n in whole.shape[:2])
        whole = resized(whole, height, width)
        bottom, right = height - size, width - size
        centre = (bottom // 2, right // 2)
        corners = [(0, 0), (0, right), (bottom, 0), (bottom, right)]
        cut = [whole[y : y + size, x : x + size] for y, x in [*corners, centre]]
        if self.crops == 1:
            return cut[-1].contiguous()
        return torch.cat((torch.stack(cut), torch.stack(cut).flip(2)))


Cut = TrainingCut | EvaluationCut


def evaluation_view(images: Encoded, index: int, size: int, crops: int = 1) -> Tensor:
    """An `EvaluationCut` of an image."""
    cut = EvaluationCut(size, crops)
    return cut.of(opened(images, index, cut.side))


def opened(images: Encoded, index: int, at_least: int) -> Tensor:
    """An image whole, uint8 (H, W, 3), not larger than it must be for sides of `at_least`."""
    with named(images, index):
        return pixels(images.read(index), at_least)


@contextmanager
def named(images: Encoded, index: int) -> Iterator[None]:
    """Whatever is raised for an image becomes a `ValueError` with its name."""
    try:
        yield
    except Exception as error:  # a decoder raises whatever damaged bytes lead to
        reason = " ".join(str(error).split())
        raise ValueError(f"{images.name(index)}: not a readable image ({reason})") from error
