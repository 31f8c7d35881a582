"""From the bytes of an image file to pixels."""

from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import simplejpeg
import torch
import torch.nn.functional as F
from PIL import ExifTags, Image
from torch import Tensor

JPEG = b"\xff\xd8"  # how its files begin
EXIF = b"Exif\0\0"
COLOURS = ("YCbCr", "RGB", "Gray")
REDUCTIONS = (8, 4, 2)  # of the sides, what libjpeg-turbo's inverse transform gives for less work


def decode(path: Path, image_size: int) -> np.ndarray:
    """uint8 (image_size, image_size, 3): shorter side resized if need be, then the centre."""
    image = open_image(path)
    if image.size != (image_size, image_size):
        image = centre_crop(resize_shorter_side(image, image_size), image_size)
    return np.asarray(image)


def open_image(path: Path) -> Image.Image:
    """An RGB image. Raises `ValueError` that names the file if it is none or cut short."""
    try:
        with Image.open(path) as image:
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


def pixels(content: bytes, at_least: int) -> Tensor:
    """RGB, uint8 (H, W, 3).

    A JPEG is decoded at the whole, half, quarter or eighth of its size: the smallest whose sides
    are `at_least` that long. Pillow gives the same bits, in twice the time, and reads everything
    else. Raises whatever a decoder raises for bytes that are no image.
    """
    if content.startswith(JPEG):
        with suppress(ValueError):  # CMYK; and Pillow says better what is wrong with damaged ones
            return _from_jpeg(content, at_least)
    with Image.open(BytesIO(content)) as image:
        image.draft("RGB", (at_least, at_least))
        return torch.from_numpy(np.array(image.convert("RGB")))


def is_plain_jpeg(content: bytes) -> bool:
    """Not CMYK, which only Pillow reads; and with no word on which way up it is to be shown.

    Nobody reads that here, but torchcodec does.
    """
    if not content.startswith(JPEG):
        return False
    try:
        colours = simplejpeg.decode_jpeg_header(content)[2]
    except ValueError:  # damaged
        return False
    return colours in COLOURS and not (EXIF in content and _is_turned(content))


def _is_turned(content: bytes) -> bool:
    with Image.open(BytesIO(content)) as image:
        return image.getexif().get(ExifTags.Base.Orientation, 1) != 1


def _from_jpeg(content: bytes, at_least: int) -> Tensor:
    height, width, colours, _ = simplejpeg.decode_jpeg_header(content)
    if colours not in COLOURS:
        raise ValueError(f"colours {colours}")
    shorter = min(height, width)
    by = next((r for r in REDUCTIONS if shorter // r >= at_least), 1)
    sides = (-(-height // by), -(-width // by)) if by > 1 else (0, 0)  # 0: as it is
    decoded = simplejpeg.decode_jpeg(content, min_height=sides[0], min_width=sides[1])
    return torch.from_numpy(decoded)


def resized(image: Tensor, height: int, width: int) -> Tensor:
    """uint8 (H, W, 3) -> (height, width, 3), bilinear, with antialiasing where it shrinks."""
    if image.shape[:2] == (height, width):
        return image
    # Whole and channels_last, or torch takes twice as long and gives planes.
    planes = image.contiguous()[None].permute(0, 3, 1, 2)
    whole_numbers = image.device.type == "cpu"  # elsewhere torch resizes only floats
    out = F.interpolate(
        planes if whole_numbers else planes.float(),
        (height, width),
        mode="bilinear",
        antialias=True,
    )
    return (out if whole_numbers else out.round().to(torch.uint8)).permute(0, 2, 3, 1)[0]
