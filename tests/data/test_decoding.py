"""A JPEG is decoded at the least size that serves, to the same bits as by Pillow."""

from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from resx.data.decoding import pixels, resized


def photograph(width=331, height=247):
    """Smooth colours with grain, in which neighbouring pixels are alike."""
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 256, (9, 12, 3)).astype(np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)).astype(int)
    grain = random.normal(0, 6, (height, width, 1)).astype(int)
    return Image.fromarray((smooth + grain).clip(0, 255).astype(np.uint8))


def encoded(image, kind="JPEG", **settings):
    file = BytesIO()
    image.save(file, kind, **settings)
    return file.getvalue()


def with_pillow(content, at_least):
    image = Image.open(BytesIO(content))
    image.draft("RGB", (at_least, at_least))
    return torch.from_numpy(np.array(image.convert("RGB")))


@pytest.mark.parametrize("at_least", [30, 61, 62, 123, 124, 240, 247, 300])
@pytest.mark.parametrize(
    "content",
    [
        encoded(photograph(), quality=90),
        encoded(photograph(), subsampling=0),
        encoded(photograph(), progressive=True),
        encoded(photograph().convert("L")),
    ],
    ids=["4:2:0", "4:4:4", "progressive", "grey"],
)
def test_jpegs_have_pillows_bits_at_every_size(content, at_least):
    assert torch.equal(pixels(content, at_least), with_pillow(content, at_least))


@pytest.mark.parametrize(
    ("at_least", "shape"),
    [(248, (247, 331)), (124, (247, 331)), (123, (124, 166)), (61, (62, 83)), (30, (31, 42))],
)
def test_no_side_is_longer_or_shorter_than_it_must_be(at_least, shape):
    assert pixels(encoded(photograph()), at_least).shape == (*shape, 3)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP"])
def test_other_kinds_are_read_whole_by_pillow(kind):
    content = encoded(photograph(), kind)
    assert torch.equal(pixels(content, 16), with_pillow(content, 16))


def test_a_jpeg_in_printers_colours_is_read_by_pillow():
    content = encoded(photograph().convert("CMYK"))
    assert torch.equal(pixels(content, 300), with_pillow(content, 300))


@pytest.mark.parametrize("shape", [(100, 140), (300, 400)])
def test_resizing_is_pillows_but_for_rounding(shape):
    image = photograph()
    ours = resized(torch.from_numpy(np.array(image)), *shape)
    theirs = np.asarray(image.resize(shape[::-1], Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(ours.numpy() - theirs).max() <= 1


def test_an_image_of_the_right_size_is_not_touched():
    image = torch.randint(256, (8, 8, 3), dtype=torch.uint8)
    assert resized(image, 8, 8) is image
