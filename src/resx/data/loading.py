"""From a configuration to a data set: source, subset, held-out part, normalisation."""

from pathlib import Path

import torch
from torch import Tensor

from resx.config.components import build, with_full_name
from resx.config.schema import SMALL_IMAGE, DataConfig
from resx.data.augmentation import Normalization
from resx.data.dataset import Dataset, channel_statistics
from resx.data.in_memory import MemoryDataset
from resx.data.source import Encoded, Images, Pixels, Source, class_balanced
from resx.data.streamed import StreamDataset
from resx.data.views import Augmentation, evaluation_view
from resx.errors import RequestError

STATISTICS_IMAGES = 1_000  # of a streamed set, evenly spaced: its mean needs no more


def load_dataset(
    config: DataConfig, device: torch.device, cache: Path, trust: list[str]
) -> Dataset:
    """Raises `RequestError` for images that are missing, unreadable or fewer than asked for."""
    source = load_source(config, cache, trust)
    try:
        return _dataset(source, config, device)
    except ValueError as error:
        names = DataConfig.__dataclass_fields__
        raise RequestError(with_full_name(str(error), "data", names)) from error


def load_source(config: DataConfig, cache: Path, trust: list[str]) -> Source:
    """Raises `RequestError` for images that are missing or unreadable."""
    source: Source = build(
        config.source,
        "data.source",
        Source,
        trust,
        arguments_of="data",
        root=Path(config.root) if config.root else None,
        image_size=config.image_size,
        download=config.root is None if config.download is None else config.download,
        cache=cache,
    )
    return source


def _dataset(source: Source, config: DataConfig, device: torch.device) -> Dataset:
    _refuse_other_classes(source, config)
    splits = _splits(source, config)
    normalization = _normalization(splits["train"], config)
    known = (source.classes, normalization, source.fingerprint, device)
    if isinstance(source.train, Pixels):
        for name in ("colour_noise", "shorter_side"):
            if getattr(config, name):
                raise ValueError(f"{name}={getattr(config, name)}: only for streamed images")
        if config.crops != 1:
            raise ValueError(
                f"crops={config.crops}: only for images of {SMALL_IMAGE} pixels and up"
            )
        if config.decode_on != "workers":
            raise ValueError(f"decode_on={config.decode_on}: only for streamed images")
        pixels = {name: split for name, split in splits.items() if isinstance(split, Pixels)}
        if config.padding == "reflect" and config.pad >= config.image_size:
            raise ValueError(f"pad={config.pad}: a mirrored border must be narrower than the image")
        return MemoryDataset(
            *known, splits=pixels, pad=config.pad, padding=config.padding, flip=config.flip
        )
    if config.pad:
        raise ValueError(f"pad={config.pad}: only for images below {SMALL_IMAGE} pixels")
    if config.decode_on == "device" and device.type not in ("cpu", "cuda"):
        raise ValueError(f"decode_on=device: no decoder for {device.type}; only cpu and cuda")
    encoded = {name: split for name, split in splits.items() if isinstance(split, Encoded)}
    sides = config.shorter_side
    return StreamDataset(
        *known,
        splits=encoded,
        image_size=config.image_size,
        augmentation=Augmentation(
            config.flip, (sides[0], sides[1]) if sides else None, config.colour_noise
        ),
        crops=config.crops,
        workers=config.workers,
        decode_on=config.decode_on,
    )


def _refuse_other_classes(source: Source, config: DataConfig) -> None:
    said, found = config.classes, len(source.classes)
    if said is not None and said != found and not (config.fewer_classes and found < said):
        named = ", ".join(source.classes[:3]) + (", .." if found > 3 else "")
        raise ValueError(f"classes={said}: these images have {found} ({named})")


def _splits(source: Source, config: DataConfig) -> dict[str, Images]:
    splits: dict[str, Images] = {"train": source.train, "test": source.test}
    if config.val_fraction:
        held_out = round(config.val_fraction * len(source.train.labels))
        if not 0 < held_out < len(source.train.labels):
            raise ValueError(
                f"val_fraction={config.val_fraction}: leaves no image in train or in val"
            )
        val, train = class_balanced(source.train.labels, held_out, "val")
        splits |= {"train": source.train.take(train), "val": source.train.take(val)}
    labels = splits["train"].labels
    if config.subset is not None:
        if config.subset > len(labels):
            raise ValueError(f"subset={config.subset}: there are {len(labels)} images")
        if config.subset < (classes := len(source.classes)):
            raise ValueError(f"subset={config.subset}: leaves some of the {classes} classes out")
        chosen, _ = class_balanced(labels, config.subset, "subset")
        splits["train"] = splits["train"].take(chosen)
    return splits


def _normalization(train: Images, config: DataConfig) -> Normalization:
    if config.mean is not None and config.std is not None:
        channels = train.images.shape[-1] if isinstance(train, Pixels) else 3
        for name, numbers in (("mean", config.mean), ("std", config.std)):
            if len(numbers) != channels:
                raise ValueError(f"{name}={numbers}: needs one number for each channel")
        return Normalization(torch.tensor(config.mean), torch.tensor(config.std))
    pixels = train.images if isinstance(train, Pixels) else _sample(train, config.image_size)
    return channel_statistics(pixels, per_pixel=config.normalize == "pixel")


def _sample(images: Encoded, image_size: int) -> Tensor:
    """Centre crops of evenly spaced images, uint8 (N, H, W, 3)."""
    count = len(images.labels)
    step = max(count // STATISTICS_IMAGES, 1)
    return torch.stack([evaluation_view(images, i, image_size) for i in range(0, count, step)])
