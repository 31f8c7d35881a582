"""Pairs of handwritten digits side by side; the class is the last figure of their sum."""

from pathlib import Path

import torch
from torch import Tensor

from resx.data.digits import digits
from resx.data.source import Pixels, Source, fingerprint
from resx.seeding import generator

SIDE = 12  # two digits of six columns; the two outermost of a digit hold 0.3 % of all ink


def digit_pairs(
    root: Path | None,
    image_size: int,
    download: bool,
    cache: Path,
    train_pairs: int = 10_000,
    test_pairs: int = 2_000,
) -> Source:
    """Distinct ordered pairs (a, b) of `digits` with the class (a + b) mod 10, equal in all runs.

    Training pairs are made of training digits alone and test pairs of test digits alone. Either
    digit says nothing about the class without the other, so the class must be computed from both.
    Raises ValueError for more pairs than the digits make.
    """
    if image_size != SIDE:
        raise ValueError(f"image_size={image_size}: pairs of digits are {SIDE}x{SIDE}")
    single = digits(root, 8, download, cache)
    assert isinstance(single.train, Pixels) and isinstance(single.test, Pixels)
    train = _pairs(single.train, train_pairs, "train_pairs")
    test = _pairs(single.test, test_pairs, "test_pairs")
    return Source(single.classes, train, test, fingerprint(train, test))


def _pairs(single: Pixels, count: int, option: str) -> Pixels:
    n = len(single.labels)
    if not 1 <= count <= n**2:
        raise ValueError(f"{option}={count}: must be from 1 to {n**2:,}, as {n:,} digits make")
    drawn = torch.randperm(n**2, generator=generator(0, "digit pairs", option))[:count]
    left, right = single.take(drawn // n), single.take(drawn % n)
    images = side_by_side(left.images, right.images)
    return Pixels(images, (left.labels + right.labels) % 10)


def side_by_side(left: Tensor, right: Tensor) -> Tensor:
    """Two (N, 8, 8, 1) without their outermost columns -> (N, 12, 12, 1), empty rows around."""
    images = left.new_zeros(len(left), SIDE, SIDE, 1)
    images[:, 2:10, :6], images[:, 2:10, 6:] = left[:, :, 1:7], right[:, :, 1:7]
    return images
