"""What a data set is before training: images and labels, in memory or as files."""

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from resx.seeding import generator


@dataclass(frozen=True)
class Pixels:
    """Decoded images of one size: images (N, H, W, C) uint8, labels (N,) int64."""

    images: Tensor
    labels: Tensor

    def take(self, indices: Tensor) -> "Pixels":
        return Pixels(self.images[indices], self.labels[indices])


class Encoded(ABC):
    """N images that are decoded when they are needed; labels (N,) int64.

    A subclass says where their bytes are. It travels to worker processes.
    """

    labels: Tensor

    @abstractmethod
    def take(self, indices: Tensor) -> "Encoded": ...

    @abstractmethod
    def name(self, index: int) -> str:
        """What a person is told of an image that cannot be read."""

    @abstractmethod
    def read(self, index: int) -> bytes:
        """An image's file. Raises OSError."""

    @abstractmethod
    def sizes(self) -> list[int]:
        """Bytes of every image."""


@dataclass(frozen=True)
class Files(Encoded):
    """N files."""

    paths: list[Path]
    labels: Tensor

    def take(self, indices: Tensor) -> "Files":
        return Files([self.paths[i] for i in indices.tolist()], self.labels[indices])

    def name(self, index: int) -> str:
        return str(self.paths[index])

    def read(self, index: int) -> bytes:
        return self.paths[index].read_bytes()

    def sizes(self) -> list[int]:
        return [path.stat().st_size for path in self.paths]


Images = Pixels | Encoded


@dataclass(frozen=True)
class Source:
    """A data set as it lies on disk; `fingerprint` tells whether two are the same images."""

    classes: list[str]
    train: Images
    test: Images
    fingerprint: str


class Reader(Protocol):
    """What a data set's `source._target_` names: a function that reads the images.

    A yaml may give it further options by name. It raises `ValueError` for images that are missing
    or unreadable, and for an `image_size` that it does not have.
    """

    def __call__(
        self,
        root: Path | None,  # where the person says the images are, None for a set without files
        image_size: int,  # pixels of a side of the square images that are wanted
        download: bool,  # whether images may be fetched into `root`
        cache: Path,  # a folder for what takes long to make; may vanish between two runs
    ) -> Source: ...


def fingerprint(*parts: Images) -> str:
    """Twelve hex digits over labels, and pixels or the sizes of the images' files.

    Not over their names, so that a folder and the shards made of it are the same images.
    """
    digest = hashlib.sha256()
    for part in parts:
        known = part.images if isinstance(part, Pixels) else torch.tensor(part.sizes())
        digest.update(known.numpy().tobytes())
        digest.update(part.labels.numpy().tobytes())
    return digest.hexdigest()[:12]


def class_balanced(labels: Tensor, count: int, purpose: str) -> tuple[Tensor, Tensor]:
    """Split the indices of `labels` into `count` drawn class by class, and the rest; both sorted.

    The draw is the same for every seed of a run, so runs that are compared see the same images.
    """
    # Rank the images of each class in random order, then take all of rank 0, all of rank 1, ...:
    # so any count is as balanced as can be, and a smaller subset lies within a larger one.
    order = torch.randperm(len(labels), generator=generator(0, purpose))
    rank = torch.empty_like(labels)  # of an image among those of its class
    for label in labels.unique():
        of_class = order[labels[order] == label]
        rank[of_class] = torch.arange(len(of_class))
    by_rank = order[torch.argsort(rank[order], stable=True)]  # one image of each class in turn
    return by_rank[:count].sort().values, by_rank[count:].sort().values
