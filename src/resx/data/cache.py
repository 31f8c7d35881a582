"""Small images decoded once: a file of uint8 tensors, checked against the files it came from."""

import hashlib
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from resx.data.decoding import decode
from resx.data.source import Files, Pixels
from resx.errors import DamagedError, RequestError
from resx.store import checkpoint
from resx.store.writing import own_suffix

log = logging.getLogger(__name__)


def decoded(files: Files, image_size: int, root: Path, cache: Path) -> Pixels:
    """The images as uint8 (N, image_size, image_size, 3), from the cache if it is still true.

    The cache's name is a digest of every file's name, size and time: a changed source is decoded
    again, and so is a cache whose checksum or form is wrong. Raises `ValueError` that names an
    image which cannot be decoded.
    """
    digest = _digest(files, image_size, root)
    path = cache / f"{root.name}-{files.paths[0].relative_to(root).parts[0]}-{digest}.pt"
    if os.path.lexists(path):
        try:
            return Pixels(_read(path, (len(files.labels), image_size, image_size, 3)), files.labels)
        except RequestError as error:
            log.warning("%s; decoding again", error)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = pool.map(lambda p: decode(p, image_size), files.paths)
        arrays = list(tqdm(jobs, f"decode {path.name}", len(files.paths), disable=None))
    images = torch.from_numpy(np.stack(arrays))
    try:
        cache.mkdir(parents=True, exist_ok=True)
        checkpoint.write(path, {"images": images}, own_suffix())
    except OSError as error:  # a disk that is full or cannot be written: only time is lost
        log.warning("the decoded images are not kept: %s", error)
    return Pixels(images, files.labels)


def _read(path: Path, shape: tuple[int, ...]) -> torch.Tensor:
    """Raises `DamagedError` unless the checksum is right, and they are so many images of bytes."""
    images = checkpoint.load(path).get("images")
    if not isinstance(images, torch.Tensor) or images.dtype != torch.uint8:
        raise DamagedError(path, "is damaged: no images of bytes")
    if tuple(images.shape) != shape:
        raise DamagedError(path, f"is damaged: {tuple(images.shape)} images for {shape}")
    return images.contiguous()


def _digest(files: Files, image_size: int, root: Path) -> str:
    digest = hashlib.sha256(os.fsencode(f"{root.resolve()}:{image_size}"))
    for path in files.paths:
        status = path.stat()
        name = f"{path.relative_to(root)}:{status.st_size}:{status.st_mtime_ns}"
        digest.update(os.fsencode(name))
    return digest.hexdigest()[:16]
