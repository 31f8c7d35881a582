"""Digits with shuffled labels, to be learned by heart (Zhang et al. 2017, arXiv:1611.03530)."""

from pathlib import Path

import torch

from resx.data.digits import digits
from resx.data.source import Pixels, Source, fingerprint
from resx.seeding import generator


def digits_random(root: Path | None, image_size: int, download: bool, cache: Path) -> Source:
    """The images of `digits`; the labels of each split are dealt out anew, once for all runs.

    A label says nothing about its image, so the training error measures optimisation alone and the
    test error is chance. Each class keeps its number of images.
    """
    real = digits(root, image_size, download, cache)
    assert isinstance(real.train, Pixels) and isinstance(real.test, Pixels)
    parts = _shuffled(real.train, "train"), _shuffled(real.test, "test")
    return Source(real.classes, *parts, fingerprint(*parts))


def _shuffled(split: Pixels, name: str) -> Pixels:
    order = torch.randperm(len(split.labels), generator=generator(0, "random labels", name))
    return Pixels(split.images, split.labels[order])
