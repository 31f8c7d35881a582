"""Handwritten digits, 8x8: 1,797 real images that scikit-learn embeds (Alpaydin & Kaynak 1998)."""

from pathlib import Path

import torch
from sklearn.datasets import load_digits

from resx.data.source import Pixels, Source, class_balanced, fingerprint

TEST_IMAGES = 360  # a fifth, drawn class by class


def digits(root: Path | None, image_size: int, download: bool, cache: Path) -> Source:
    """1,437 training and 360 test images, one channel, ten classes; nothing is read or written."""
    if image_size != 8:
        raise ValueError(f"image_size={image_size}: the digits are 8x8")
    table = load_digits()
    images = torch.from_numpy(table.images).mul(255 / 16).round().to(torch.uint8)  # from 0..16
    labels = torch.from_numpy(table.target).to(torch.int64)
    everything = Pixels(images[..., None].contiguous(), labels)
    test, train = class_balanced(labels, TEST_IMAGES, "digits")
    parts = everything.take(train), everything.take(test)
    return Source([str(d) for d in range(10)], *parts, fingerprint(*parts))
