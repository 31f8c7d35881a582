"""From an image file to pixels."""

from pathlib import Path

import numpy as np
from PIL import Image


def decode(path: Path, image_size: int) -> np.ndarray:
    """uint8 (image_size, image_size, 3): shorter side resized if need be, then the centre."""
    image = open_image(path)
    if image.size != (image_size, image_size):
        image = centre_crop(resize_shorter_side(image, image_size), image_size)
    return np.asarray(image)


def open_image(path: Path, at_least: int | None = None) -> Image.Image:
    """An RGB image; a JPEG is decoded at the smallest size whose sides are `at_least` that long.

    Raises `ValueError` that names the file if it is no image or cut short.
    """
    try:
        with Image.open(path) as image:
            if at_least is not None:
                image.draft("RGB", (at_least, at_least))
            return image.convert("RGB")
    except Exception as error:  # a decoder raises whatever damaged bytes lead to
        raise ValueError(f"{path}: not a readable image ({error})") from error


def resize_shorter_side(image: Image.Image, size: int) -> Image.Image:
    width, height = image.size
    scale = size / min(width, height)
    if scale == 1:
        return image
    shape = (max(size, round(width * scale)), max(size, round(height * scale)))
    return image.resize(shape, Image.Resampling.BILINEAR)


def centre_crop(image: Image.Image, size: int) -> Image.Image:
    left, top = (image.width - size) // 2, (image.height - size) // 2
    return image.crop((left, top, left + size, top + size))
