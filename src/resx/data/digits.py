"""Handwritten digits, 8x8: 1,797 real images that scikit-learn embeds (Alpaydin & Kaynak 1998)."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from resx.data.source import Pixels, Source, class_balanced, fingerprint

TEST_IMAGES = 360  # a fifth, drawn class by class


def digits(root: Path | None, image_size: int, download: bool, cache: Path) -> Source:
    """1,437 training and 360 test images, one channel, ten classes; nothing is read or written."""
    if root is not None:
        raise ValueError(f"root={root}: digits come with resx; no folder is read")
    if image_size != 8:
        raise ValueError(f"image_size={image_size}: the digits are 8x8")
    table = embedded_digits()
    images = table[:, :64].reshape(-1, 8, 8).mul(255 / 16).round().to(torch.uint8)  # from 0..16
    labels = table[:, 64].to(torch.int64)
    everything = Pixels(images[..., None].contiguous(), labels)
    test, train = class_balanced(labels, TEST_IMAGES, "digits")
    parts = everything.take(train), everything.take(test)
    return Source([str(d) for d in range(10)], *parts, fingerprint(*parts))


def embedded_digits() -> Tensor:
    """(1797, 65): 64 pixels and the label.

    Read from scikit-learn's file: to import it costs every process of a study 70 MB and a second.
    """
    package = find_spec("sklearn")
    assert package is not None and package.origin is not None, "resx depends on scikit-learn"
    file = Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"
    return torch.from_numpy(np.loadtxt(file, delimiter=","))
