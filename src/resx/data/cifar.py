"""CIFAR-10 and CIFAR-100: 50,000 training and 10,000 test images of 32x32 (Krizhevsky 2009).

With `image_size=16` or 8 they are averaged over squares of pixels: a quarter of the work for each
halving, for machines without a GPU.
"""

import logging
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor
from torchvision.datasets import CIFAR10, CIFAR100
from torchvision.datasets.utils import check_md5, extract_archive

from resx.data.folder import existing, folder
from resx.data.source import Pixels, Source, fingerprint

log = logging.getLogger(__name__)

SIZES = (32, 16, 8)  # pixels: as published, and averaged over squares of 2 and of 4


def cifar10(root: Path | None, image_size: int, download: bool, cache: Path) -> Source:
    """Ten classes; see `_read` for where the images may lie."""
    return _read(CIFAR10, root, image_size, download, cache)


def cifar100(root: Path | None, image_size: int, download: bool, cache: Path) -> Source:
    """A hundred classes; see `_read` for where the images may lie."""
    return _read(CIFAR100, root, image_size, download, cache)


def _read(
    reader: type[CIFAR10], root: Path | None, image_size: int, download: bool, cache: Path
) -> Source:
    """Class folders, the official archive, or its unpacked batches, each itself or under `root`.

    Without a root they are looked for in `data/`. Raises `ValueError` if there is nothing to read
    and nothing may be fetched, a checksum is wrong, or the download fails.
    """
    if image_size not in SIZES:
        raise ValueError(f"image_size={image_size}: CIFAR images are 32x32, averaged to 16 or 8")
    place = Path("data") if root is None else _folder_of(root, reader)
    if root is not None and not download:
        existing(place)
    if (place / "train").is_dir():
        return averaged(folder(place, SIZES[0], download, cache), image_size)
    archive, batches = place / reader.filename, place / reader.base_folder
    if not batches.is_dir() and archive.is_file():
        if not check_md5(str(archive), reader.tgz_md5):
            raise ValueError(f"{archive}: wrong checksum; delete it and fetch it again")
        log.info("unpacking %s", archive)
        extract_archive(str(archive), str(place))
    if not batches.is_dir():
        if not download:
            raise ValueError(_nothing(reader, root, place))
        _download(reader, place)
    try:
        parts = [reader(str(place), train=train) for train in (True, False)]
    except RuntimeError as error:  # torchvision's word for a wrong checksum
        raise ValueError(f"{batches}: damaged or incomplete, its checksums are wrong") from error
    train, test = (Pixels(torch.from_numpy(p.data), torch.tensor(p.targets)) for p in parts)
    source = Source(list(parts[0].classes), train, test, fingerprint(train, test))
    return averaged(source, image_size)


def averaged(source: Source, image_size: int) -> Source:
    """The same images at `image_size` pixels: means over squares of pixels, rounded."""
    if image_size == SIZES[0]:
        return source
    pixels = [p for p in (source.train, source.test) if isinstance(p, Pixels)]
    train, test = (Pixels(_averaged(p.images, image_size), p.labels) for p in pixels)
    return Source(source.classes, train, test, fingerprint(train, test))


def _averaged(images: Tensor, size: int) -> Tensor:
    """uint8 (N, H, H, C) -> (N, size, size, C)."""
    count, height, _, channels = images.shape
    factor = height // size
    blocks = images.view(count, size, factor, size, factor, channels)
    return blocks.float().mean((2, 4)).round_().to(torch.uint8)


def _folder_of(root: Path, reader: type[CIFAR10]) -> Path:
    """Where the archive or its unpacked batches lie, if `root` is one of these itself."""
    own_batches = root.name == reader.base_folder and (root / "batches.meta").is_file()
    own_batches |= root.name == reader.base_folder and (root / "meta").is_file()  # CIFAR-100's
    return root.parent if own_batches or root.name == reader.filename else root


def _nothing(reader: type[CIFAR10], root: Path | None, place: Path) -> str:
    lacking = f"no {reader.filename}, no {reader.base_folder}/ and no class folders"
    if root is None:
        return (
            f"root=null: there is {lacking} in {place.resolve()}; put the archive there or name"
            " its folder"
        )
    return f"root={root}: {lacking} in it; data.download=true fetches the archive"


def _download(reader: type[CIFAR10], place: Path) -> None:
    """Raises `ValueError` if it fails; nothing is left of it then, nor if it is interrupted."""
    log.info("downloading %s into %s", reader.url, place)
    made = [folder for folder in (place, *place.parents) if not folder.exists()]
    archive = place / reader.filename
    try:
        place.mkdir(parents=True, exist_ok=True)
        reader(str(place), download=True)
    except BaseException as error:
        archive.unlink(missing_ok=True)  # half of it, or it is not what it should be
        for folder in made:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        if not isinstance(error, URLError | TimeoutError | ConnectionError | RuntimeError):
            raise
        raise ValueError(
            f"cannot download {reader.url} ({error}); put {reader.filename} into {place.resolve()}"
            " or name its folder with data.root"
        ) from error
