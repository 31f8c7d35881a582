"""Where the images in tars lie: found once, kept beside the shards or in the cache."""

import logging
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, NamedTuple

import torch
from torch import Tensor
from tqdm import tqdm

from resx.data.folder import SUFFIXES
from resx.errors import RequestError
from resx.store import checkpoint
from resx.store.writing import own_suffix

log = logging.getLogger(__name__)

INDEX = "index.pt"  # beside the shards, written by `resx pack`
MEMBER = re.compile(r"((?:.*/|)[^.]+)[.]([^/]*)")  # key and suffix, as webdataset splits a name
BLOCK = 512  # bytes of which a tar is made; two that are empty end it


class Table(NamedTuple):
    """The images of a split in the order of their keys.

    places (N, 3) int64: which shard, first byte, number of bytes; labels (N,) int64.
    """

    keys: list[str]
    places: Tensor
    labels: Tensor


Tars = Mapping[str, Sequence[Path]]


def indexed(root: Path, tars: Tars, cache: Path) -> dict[str, Table]:
    """By split; from an index that is there and still true, or from the tars themselves."""
    digest = sha256(str(root.resolve()).encode(errors="surrogateescape")).hexdigest()[:16]
    kept = cache / f"{root.name}-shards-{digest}.pt"
    for file in (root / INDEX, kept):
        if file.is_file() and (found := _read(file, tars)) is not None:
            return found
    try:
        cache.mkdir(parents=True, exist_ok=True)
        return write(kept, tars)
    except OSError as error:
        if error.filename != str(kept):
            raise
        log.warning("the index of the shards is not kept: %s", error)
        return {split: scan(paths) for split, paths in tars.items()}


def write(file: Path, tars: Tars) -> dict[str, Table]:
    """Look through all tars and keep what is found. Raises OSError if it cannot be written."""
    tables = {split: scan(paths) for split, paths in tars.items()}
    plain = {split: tuple(table) for split, table in tables.items()}
    # Processes that look through the same shards at the same time end together.
    checkpoint.write(file, {"bytes": _bytes(tars), "tables": plain}, own_suffix())
    return tables


def _read(file: Path, tars: Tars) -> dict[str, Table] | None:
    """None if it is damaged, or of other shards, or older than one of them."""
    newest = max(path.stat().st_mtime_ns for paths in tars.values() for path in paths)
    try:
        saved = checkpoint.load(file)
    except RequestError as error:
        log.warning("%s; the shards are read again", error)
        return None
    if saved.get("bytes") != _bytes(tars) or file.stat().st_mtime_ns < newest:
        return None
    return {split: Table(*table) for split, table in saved["tables"].items()}


def _bytes(tars: Tars) -> dict[str, list[tuple[str, int]]]:
    """Of every shard, in the order in which the table counts them."""
    return {s: [(path.name, path.stat().st_size) for path in paths] for s, paths in tars.items()}


def scan(tars: Sequence[Path]) -> Table:
    """The images of a split. Raises `ValueError` that names a tar that is damaged."""
    found: list[tuple[str, tuple[int, int, int], int]] = []
    for shard, tar in enumerate(tqdm(tars, "look through shards", disable=None)):
        for key, first, size, label in samples(tar):
            found.append((key, (shard, first, size), label))
    if not found:
        raise ValueError(f"{tars[0]}: holds no images with classes")
    found.sort()
    keys, places, labels = zip(*found)
    return Table(list(keys), torch.tensor(places), torch.tensor(labels))


def samples(tar: Path) -> Iterator[tuple[str, int, int, int]]:
    """Key, first byte, number of bytes and label of every image, in the order of the tar."""
    with tar.open("rb") as file:
        try:
            for key, members in groupby(_members(file), lambda member: member[0]):
                parts = {suffix: place for _, suffix, place in members}
                image = next((parts[s] for s in parts if f".{s}" in SUFFIXES), None)
                if image is not None:
                    yield key, *image, _label(tar, file, key, parts.get("cls"))
        except tarfile.TarError as error:
            raise ValueError(f"{tar}: no readable tar ({error})") from error


def _members(file: BinaryIO) -> Iterator[tuple[str, str, tuple[int, int]]]:
    """Key, suffix in lower case, first byte and number of bytes of every file in a tar."""
    end = 0
    with tarfile.open(fileobj=file, mode="r:") as archive:
        for member in archive:
            end = member.offset_data + -(-member.size // BLOCK) * BLOCK
            if member.isfile() and (name := MEMBER.fullmatch(member.name)):
                yield name[1], name[2].lower(), (member.offset_data, member.size)
    file.seek(end)
    if file.read(2 * BLOCK) != bytes(2 * BLOCK):  # tarfile takes damage for the end
        raise tarfile.ReadError(f"damaged or cut short after {end:,} bytes")


def _label(tar: Path, file: BinaryIO, key: str, place: tuple[int, int] | None) -> int:
    if place is None:
        raise ValueError(f"{tar}: {key} has no class ({key}.cls)")
    file.seek(place[0])  # tarfile finds its own place again
    text = file.read(place[1])
    if not re.fullmatch(rb"\s*\d{1,9}\s*", text):
        raise ValueError(f"{tar}: {key}.cls holds no number of a class")
    return int(text)
