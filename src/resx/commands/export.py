"""`resx export`: trained weights as a state dict in another project's names."""

from pathlib import Path
from typing import Any

import torch

from resx.config.composing import Typed
from resx.config.requests import ExportConfig
from resx.config.stored import with_typed
from resx.errors import RequestError
from resx.experiment import open_run
from resx.models.building import build_network, refuse_other_network
from resx.models.parts.exports import Made, changes, with_made
from resx.models.parts.foreign import export_weights, load_weights
from resx.store import checkpoint
from resx.store.saved import is_own

FREE = {"run", "weights", "naming", "file", "outputs", "trust"}


def main(config: ExportConfig, typed: Typed) -> int:
    """Writes the file and says how its images are normalised; reads no image itself.

    Raises `RequestError` if the project has no such network, OSError if the disk is full.
    """
    saved, file = _loaded(config)
    if file.is_dir():
        raise RequestError(f"file={file}: is a folder; name a file in it")
    if not file.parent.is_dir():
        raise RequestError(f"file={file}: there is no folder {file.parent}")
    own = with_typed(saved["config"], typed, ExportConfig, FREE)
    made = Made(saved["mean"], saved["std"], saved["classes"])
    mean, std, classes = made
    shape = (len(classes), mean.shape[-1], own.data.image_size)
    trained = checkpoint.evaluated_weights(saved)
    refuse_other_network(own, *shape, trained)
    network = build_network(own, *shape, torch.device("cpu"))
    load_weights(network, trained, "resx")
    weights = export_weights(network, config.naming)
    checkpoint.write(file, with_made(weights, made))
    average = mean.mean((0, 1)) if mean.ndim == 3 else mean
    print(f"{file}: {network.title}, {len(weights)} tensors in {config.naming}'s names")
    print(f"images in [0, 1], mean {_numbers(average)}, std {_numbers(std)}", end="")
    print(" (the run subtracted a mean of every pixel)" if mean.ndim == 3 else "")
    print(f"classes {', '.join(classes[:10])}{', ...' if len(classes) > 10 else ''}")
    if lines := changes(network, config.naming):
        print(f"{config.naming}'s own network `net`, made with num_classes={len(classes)}, is for")
        print("other images; before net.load_state_dict:")
        print("\n".join(f"  {line}" for line in lines))
    return 0


def _loaded(config: ExportConfig) -> tuple[dict[str, Any], Path]:
    """The checkpoint that is exported, and where to; raises `RequestError` if there is none."""
    if (config.run is None) == (config.weights is None):
        raise RequestError("name either run=DIRECTORY or weights=FILE, such as a snapshot")
    if config.run is not None:
        file = Path(config.file or Path(config.run, f"{config.naming}.pt"))
        return open_run(config.run).checkpoint(), file
    assert config.weights is not None
    source = Path(config.weights)
    saved = checkpoint.load(source)
    if not is_own(saved):
        raise RequestError(
            f"weights={source}: is no checkpoint of resx, so nothing says of which network it is"
        )
    file = Path(config.file or source.with_name(f"{source.stem}.{config.naming}.pt"))
    if file.resolve() == source.resolve():
        raise RequestError(f"file={file}: is what is exported; name another file")
    return saved, file


def _numbers(values: torch.Tensor) -> str:
    return ", ".join(f"{value:.4f}" for value in values.tolist())
