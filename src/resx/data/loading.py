"""From a configuration to a data set: source, subset, held-out part, normalisation."""

from pathlib import Path

import torch
from torch import Tensor

from resx.config.components import build
from resx.config.schema import DataConfig
from resx.data.augmentation import Normalization
from resx.data.dataset import Dataset, channel_statistics
from resx.data.in_memory import MemoryDataset
from resx.data.source import Files, Images, Pixels, Source, class_balanced
from resx.data.streamed import EvaluationViews, StreamDataset
from resx.errors import RequestError

STATISTICS_IMAGES = 1_000  # of a streamed set, evenly spaced: its mean needs no more


def load_dataset(
    config: DataConfig, device: torch.device, cache: Path, trust: list[str]
) -> Dataset:
    """Raises `RequestError` for images that are missing, unreadable or fewer than asked for."""
    source: Source = build(
        config.source,
        trust,
        "data.source",
        root=Path(config.root) if config.root else None,
        image_size=config.image_size,
        download=config.download,
        cache=cache,
    )
    splits = _splits(source, config)
    normalization = _normalization(splits["train"], config)
    if isinstance(source.train, Pixels):
        return _in_memory(source, splits, normalization, config, device)
    if config.pad:
        raise RequestError(f"data.pad={config.pad}: only for images below 64 pixels")
    files = {name: split for name, split in splits.items() if isinstance(split, Files)}
    return StreamDataset(
        source.classes,
        files,
        normalization,
        source.fingerprint,
        device,
        config.image_size,
        config.flip,
        config.crops,
        config.workers,
    )


def _in_memory(
    source: Source,
    splits: dict[str, Images],
    normalization: Normalization,
    config: DataConfig,
    device: torch.device,
) -> MemoryDataset:
    if config.crops != 1:
        raise RequestError(f"data.crops={config.crops}: only for images of 64 pixels and up")
    pixels = {name: split for name, split in splits.items() if isinstance(split, Pixels)}
    classes, fingerprint = source.classes, source.fingerprint
    return MemoryDataset(
        classes, pixels, normalization, fingerprint, device, config.pad, config.flip
    )


def _splits(source: Source, config: DataConfig) -> dict[str, Images]:
    splits: dict[str, Images] = {"train": source.train, "test": source.test}
    if config.val_fraction:
        held_out = round(config.val_fraction * len(source.train.labels))
        if not 0 < held_out < len(source.train.labels):
            raise RequestError(
                f"data.val_fraction={config.val_fraction}: leaves no image in train or in val"
            )
        val, train = class_balanced(source.train.labels, held_out, "val")
        splits |= {"train": source.train.take(train), "val": source.train.take(val)}
    labels = splits["train"].labels
    if config.subset is not None:
        if config.subset > len(labels):
            raise RequestError(f"data.subset={config.subset}: there are {len(labels)} images")
        chosen, _ = class_balanced(labels, config.subset, "subset")
        splits["train"] = splits["train"].take(chosen)
    return splits


def _normalization(train: Images, config: DataConfig) -> Normalization:
    if config.mean is not None and config.std is not None:
        channels = train.images.shape[-1] if isinstance(train, Pixels) else 3
        for name, numbers in (("mean", config.mean), ("std", config.std)):
            if len(numbers) != channels:
                raise RequestError(f"data.{name}={numbers}: needs one number for each channel")
        return Normalization(torch.tensor(config.mean), torch.tensor(config.std))
    pixels = train.images if isinstance(train, Pixels) else _sample(train, config.image_size)
    return channel_statistics(pixels, per_pixel=config.normalize == "pixel")


def _sample(files: Files, image_size: int) -> Tensor:
    """Centre crops of evenly spaced images, uint8 (N, H, W, 3)."""
    views = EvaluationViews(files, image_size, crops=1)
    count = len(files.labels)
    step = max(count // STATISTICS_IMAGES, 1)
    return torch.stack([views[i][0] for i in range(0, count, step)])
