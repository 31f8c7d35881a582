"""WebDataset shards: tars of images and their classes, train-*.tar and test-*.tar or val-*.tar."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from resx.config.schema import SMALL_IMAGE
from resx.data.folder import existing
from resx.data.shard_index import indexed
from resx.data.source import Encoded, Source, fingerprint

CLASS_NAMES = "classnames.txt"  # one a line, beside the shards
SPLIT = re.compile(r"(?<![a-z])(train|test|val|validation)(?![a-z])")  # the last in a name counts
TEST_NAMES = ("test", "val", "validation")
OPEN_SHARDS = 128  # at a time in a process


def shards(root: Path | None, image_size: int, download: bool, cache: Path) -> Source:
    """An image is a member KEY.jpg (.png, ..), its class the number in KEY.cls.

    Images count in the order of their keys, whichever shard they are in; each is read alone, where
    it lies, so that any order of training can be had. Classes without names are named as numbers.
    Raises `ValueError` for a tar that is damaged or cut short, and for a sample without a class.
    """
    root = existing(root)
    if image_size < SMALL_IMAGE:
        raise ValueError(f"image_size={image_size}: shards are for {SMALL_IMAGE} pixels and up")
    tars = _by_split(root)
    members = {
        split: Members(tars[split], *table) for split, table in indexed(root, tars, cache).items()
    }
    train, test = members["train"], members["test"]
    classes = _classes(root, (train.labels, test.labels))
    return Source(classes, train, test, fingerprint(train, test))


@dataclass(frozen=True)
class Members(Encoded):
    """N members of tars; `places` (N, 3) int64: which shard, first byte, number of bytes."""

    shards: list[Path]
    keys: list[str]
    places: Tensor
    labels: Tensor

    def take(self, indices: Tensor) -> "Members":
        keys = [self.keys[i] for i in indices.tolist()]
        return Members(self.shards, keys, self.places[indices], self.labels[indices])

    def name(self, index: int) -> str:
        return f"{self.shards[int(self.places[index, 0])]}: {self.keys[index]}"

    def read(self, index: int) -> bytes:
        shard, first, count = self.places[index].tolist()
        return os.pread(_handle(self.shards[shard]).number, count, first)

    def sizes(self) -> list[int]:
        sizes: list[int] = self.places[:, 2].tolist()
        return sizes


class Handle:
    """An open file; processes that share it read at places of their own."""

    def __init__(self, path: Path) -> None:
        self.number = os.open(path, os.O_RDONLY)

    def __del__(self) -> None:
        if hasattr(self, "number"):
            os.close(self.number)


@lru_cache(OPEN_SHARDS)
def _handle(path: Path) -> Handle:
    return Handle(path)


def _by_split(root: Path) -> dict[str, list[Path]]:
    """The shards of train and test. Raises `ValueError` if one of them has none."""
    found: dict[str, list[Path]] = {}
    for tar in sorted(root.glob("*.tar")):
        if named := SPLIT.findall(tar.name.lower()):
            found.setdefault(named[-1], []).append(tar)
    test = next((name for name in TEST_NAMES if name in found), "test")
    for name in ("train", test):
        if name not in found:
            raise ValueError(f"{root}: no shards of '{name}' in it (expected {name}-*.tar)")
    return {"train": found["train"], "test": found[test]}


def _classes(root: Path, labels: Iterable[Tensor]) -> list[str]:
    count = int(torch.cat([*labels]).max()) + 1
    file = root / CLASS_NAMES
    if not file.is_file():
        return [str(number) for number in range(count)]
    names = file.read_text().splitlines()
    if len(names) < count:
        raise ValueError(f"{file}: names {len(names)} classes; the shards have {count}")
    return names
