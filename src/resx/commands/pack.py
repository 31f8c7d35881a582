"""`resx pack`: class folders as WebDataset shards, which data=shards and other tools read."""

import re
from pathlib import Path

from resx.config.components import with_full_name
from resx.config.composing import Typed
from resx.config.requests import PackConfig
from resx.data.folder import class_folders, existing
from resx.data.packing import write_shards
from resx.errors import RequestError

FOLDER = "resx.data.folder.folder"
FREE = {"data", "data.root", "data.name", "file", "megabytes", "outputs", "trust"}
NAME = "%06d.tar"


def main(config: PackConfig, typed: Typed) -> int:
    """Copies the images' files as they are; says what was written and how to train on it.

    Raises `RequestError` for other data than class folders, OSError if the disk is full.
    """
    if strange := sorted(set(typed.keys) - FREE):
        raise RequestError(f"{strange[0]}: images are packed as they are, all of them")
    if config.data.source.get("_target_") != FOLDER:
        raise RequestError(f"data={config.data.name}: only class folders are packed, data=folder")
    folder, name = target(config.file)
    root = Path(config.data.root) if config.data.root else None
    try:
        classes, train, test = class_folders(existing(root))
    except ValueError as error:
        raise RequestError(with_full_name(str(error), "data", {"root"})) from error
    splits = {"train": train, "test": test}
    written = write_shards(folder, name, classes, splits, config.megabytes)
    for split, images in splits.items():
        names = written[split]
        more = f" .. {names[-1]}" if len(names) > 1 else ""
        print(f"{folder / names[0]}{more}: {len(images.labels):,} images of {len(classes)} classes")
    print(f"resx train data=shards data.root={folder}")
    return 0


def target(file: str | None) -> tuple[Path, str]:
    """`DIR` -> (DIR, %06d.tar); `DIR/x-%04d.tar` -> (DIR, x-%04d.tar)."""
    if file is None:
        raise RequestError("name the folder to write: file=DIRECTORY")
    path = Path(file)
    if "%" not in path.name and path.suffix != ".tar":
        return path, NAME
    if not re.fullmatch(r"[^%]*%0?\d*d[^%]*\.tar", path.name):
        raise RequestError(f"file={file}: a pattern has one number, such as imagenet-%06d.tar")
    return path.parent, path.name
