"""CIFAR-10 and CIFAR-100: 50,000 training and 10,000 test images of 32x32 (Krizhevsky 2009)."""

import logging
from pathlib import Path
from urllib.error import URLError

import torch
from torchvision.datasets import CIFAR10, CIFAR100
from torchvision.datasets.utils import check_md5, extract_archive

from resx.data.folder import existing, folder
from resx.data.source import Pixels, Source, fingerprint

log = logging.getLogger(__name__)


def cifar10(root: Path | None, image_size: int, download: bool, cache: Path) -> Source:
    """Ten classes; see `_read` for where the images may lie."""
    return _read(CIFAR10, root, image_size, download, cache)


def cifar100(root: Path | None, image_size: int, download: bool, cache: Path) -> Source:
    """A hundred classes; see `_read` for where the images may lie."""
    return _read(CIFAR100, root, image_size, download, cache)


def _read(
    reader: type[CIFAR10], root: Path | None, image_size: int, download: bool, cache: Path
) -> Source:
    """Class folders, the official archive, or its unpacked batches under `root`.

    Without a root the archive is downloaded into `data/`. Raises `ValueError` if there is
    nothing to read, a checksum is wrong, or the download fails.
    """
    if image_size != 32:
        raise ValueError(f"image_size={image_size}: CIFAR images are 32x32")
    place = Path("data") if root is None else root
    if root is not None and not download:
        existing(root)
    if (place / "train").is_dir():
        return folder(place, image_size, download, cache)
    archive, batches = place / reader.filename, place / reader.base_folder
    if not batches.is_dir() and archive.is_file():
        if not check_md5(str(archive), reader.tgz_md5):
            raise ValueError(f"{archive}: wrong checksum; delete it and fetch it again")
        log.info("unpacking %s", archive)
        extract_archive(str(archive), str(place))
    if not batches.is_dir():
        if root is not None and not download:
            raise ValueError(
                f"root={root}: no class folders, no {reader.filename} and no"
                f" {reader.base_folder}/ in it; data.download=true fetches the archive"
            )
        _download(reader, place)
    try:
        parts = [reader(str(place), train=train) for train in (True, False)]
    except RuntimeError as error:  # torchvision's word for a wrong checksum
        raise ValueError(f"{batches}: damaged or incomplete, its checksums are wrong") from error
    train, test = (Pixels(torch.from_numpy(p.data), torch.tensor(p.targets)) for p in parts)
    return Source(list(parts[0].classes), train, test, fingerprint(train, test))


def _download(reader: type[CIFAR10], place: Path) -> None:
    log.info("downloading %s into %s", reader.url, place)
    try:
        place.mkdir(parents=True, exist_ok=True)
        reader(str(place), download=True)
    except (URLError, TimeoutError, ConnectionError, RuntimeError) as error:
        raise ValueError(
            f"cannot download {reader.url} ({error}); put {reader.filename} into {place.resolve()}"
        ) from error
