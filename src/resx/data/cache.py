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
from resx.store.writing import replace_file

log = logging.getLogger(__name__)


def decoded(files: Files, image_size: int, root: Path, cache: Path) -> Pixels:
    """The images as uint8 (N, image_size, image_size, 3), from the cache if it is still true.

    The cache's name is a digest of every file's name, size and time: a changed source is decoded
    again. Raises `ValueError` that names an image which cannot be decoded.
    """
    digest = _digest(files, image_size, root)
    path = cache / f"{root.name}-{files.paths[0].relative_to(root).parts[0]}-{digest}.pt"
    if path.exists():
        try:
            return Pixels(torch.load(path, weights_only=True)["images"], files.labels)
        except (RuntimeError, EOFError, KeyError, ValueError) as error:
            log.warning("%s is damaged (%s); decoding again", path, type(error).__name__)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = pool.map(lambda p: decode(p, image_size), files.paths)
        arrays = list(tqdm(jobs, f"decode {path.name}", len(files.paths), disable=None))
    images = torch.from_numpy(np.stack(arrays))
    cache.mkdir(parents=True, exist_ok=True)
    replace_file(path, lambda file: torch.save({"images": images}, file), f".{os.getpid()}.tmp")
    return Pixels(images, files.labels)


def _digest(files: Files, image_size: int, root: Path) -> str:
    digest = hashlib.sha256(f"{root.resolve()}:{image_size}".encode())
    for path in files.paths:
        status = path.stat()
        digest.update(f"{path.relative_to(root)}:{status.st_size}:{status.st_mtime_ns}".encode())
    return digest.hexdigest()[:16]
