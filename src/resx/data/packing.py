"""Class folders written as WebDataset shards, through the library of that name."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import torch
from tqdm import tqdm
from webdataset import TarWriter

from resx.data.shard_index import INDEX, write
from resx.data.shards import CLASS_NAMES
from resx.data.source import Files
from resx.errors import RequestError
from resx.seeding import generator
from resx.store.writing import naming

SUFFIXES = {"jpeg": "jpg"}  # what readers of shards ask for


def write_shards(
    folder: Path, name: str, classes: list[str], splits: dict[str, Files], megabytes: int
) -> dict[str, list[str]]:
    """The names of the shards of each split; `name` is a pattern such as x-%06d.tar.

    The folder is complete when it is there. A key is an image's number in the order of the class
    folders; within the shards images are shuffled, for readers that take them as they come.
    Raises `RequestError` for a folder that is not empty, OSError for a full disk.
    """
    asked, folder = folder, folder.resolve()  # through a link
    if folder.is_mount():
        raise RequestError(f"file={asked}: is a disk's own folder; name one in it")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise RequestError(f"file={asked}: is there already, and not an empty folder")
    fresh = folder.with_name(f"{folder.name}.part")
    try:
        fresh.mkdir(parents=True)
    except FileExistsError:
        line = f"{fresh}: another packing writes it, or left it when it was killed; delete it then"
        raise RequestError(line) from None
    try:
        with naming(fresh):
            tars = {
                split: _write(fresh, name.replace("%", f"{split}-%", 1), images, megabytes)
                for split, images in splits.items()
            }
            (fresh / CLASS_NAMES).write_text("".join(f"{name}\n" for name in classes))
            write(fresh / INDEX, tars)
            fresh.replace(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return {split: [tar.name for tar in paths] for split, paths in tars.items()}


def _write(folder: Path, name: str, images: Files, megabytes: int) -> list[Path]:
    count = len(images.labels)
    order = torch.randperm(count, generator=generator(0, "pack")).tolist()
    tars = []
    with tqdm(total=count, desc=f"pack {name}", disable=None) as progress:
        for number, chosen in enumerate(_dealt(order, images.sizes(), megabytes * 10**6)):
            tars.append(folder / (name % number))
            with tars[-1].open("wb") as file, TarWriter(file, mtime=0) as writer:
                for index in chosen:
                    writer.write(_sample(images, index, len(str(count - 1))))
                    progress.update()
    return sorted(tars)  # as they are found again


def _dealt(order: list[int], sizes: list[int], limit: int) -> Iterator[list[int]]:
    """Images of a shard after the other, each with as many as reach the limit in bytes."""
    chosen, held = [], 0
    for index in order:
        chosen.append(index)
        held += sizes[index]
        if held >= limit:
            yield chosen
            chosen, held = [], 0
    if chosen:
        yield chosen


def _sample(images: Files, index: int, digits: int) -> dict[str, object]:
    suffix = images.paths[index].suffix[1:].lower()
    return {
        "__key__": f"{index:0{digits}}",
        SUFFIXES.get(suffix, suffix): images.read(index),
        "cls": int(images.labels[index]),
    }
