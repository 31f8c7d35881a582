"""Class folders: `train/<class>/*` and `test/<class>/*` or `val/<class>/*`, as in ImageNet."""

import os
from pathlib import Path

import torch

from resx.config.schema import SMALL_IMAGE
from resx.data.cache import decoded
from resx.data.source import Files, Source, fingerprint

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}
TEST_NAMES = ("test", "val")


def folder(root: Path | None, image_size: int, download: bool, cache: Path) -> Source:
    """Any tree of class folders; images below 64 pixels are decoded once, larger ones streamed."""
    root = existing(root)
    classes, train, test = class_folders(root)
    if image_size >= SMALL_IMAGE:
        return Source(classes, train, test, fingerprint(train, test))
    pixels = decoded(train, image_size, root, cache)
    held_out = decoded(test, image_size, root, cache)
    return Source(classes, pixels, held_out, fingerprint(pixels, held_out))


def existing(root: Path | None) -> Path:
    if root is None:
        raise ValueError("root=null: name the folder with the images")
    if root.is_file():
        raise ValueError(f"root={root}: is a file; name the folder with the images")
    if not root.is_dir():
        raise ValueError(f"root={root}: no such folder")
    if not os.access(root, os.R_OK | os.X_OK):
        raise ValueError(f"root={root}: cannot be read")
    return root


def class_folders(root: Path) -> tuple[list[str], Files, Files]:
    """Classes in alphabetical order, training and test files.

    Raises `ValueError` for a tree without `train`, without a test split, with an empty class
    folder, or whose splits have different classes.
    """
    if not (root / "train").is_dir():
        raise ValueError(f"{root}: no folder 'train' in it (expected train/<class>/<image>)")
    name = next((n for n in TEST_NAMES if (root / n).is_dir()), None)
    if name is None:
        raise ValueError(f"{root}: no folder 'test' or 'val' in it")
    classes = _subfolders(root / "train")
    if others := set(_subfolders(root / name)) ^ set(classes):
        raise ValueError(f"{root}: class '{min(others)}' is in only one of train and {name}")
    if len(classes) < 2:
        raise ValueError(f"{root / 'train'}: needs two class folders, has {len(classes)}")
    return classes, _listing(root / "train", classes), _listing(root / name, classes)


def _subfolders(directory: Path) -> list[str]:
    entries = os.scandir(directory)
    names = sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:  # classes are written into checkpoints, tables and pages
            raise ValueError(
                f"{directory}: the class folder {name!r} is not named in UTF-8"
            ) from None
    return names


def _listing(split: Path, classes: list[str]) -> Files:
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        entries = [e for e in os.scandir(split / name) if _is_image(e.name)]
        if odd := [e.path for e in entries if not e.is_file()]:  # a pipe would be waited for
            raise ValueError(f"{min(odd)}: no regular file")
        found = sorted(e.name for e in entries)
        if not found:
            raise ValueError(f"{split / name}: no images in this class folder")
        paths += [split / name / f for f in found]
        labels += [label] * len(found)
    return Files(paths, torch.tensor(labels))


def _is_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES and not name.startswith(".")
