"""`resx export`: a run's weights as a state dict in another project's names."""

from pathlib import Path

import torch

from resx.config.composing import Typed
from resx.config.requests import ExportConfig
from resx.config.stored import with_typed
from resx.errors import RequestError
from resx.experiment import open_run
from resx.models.building import build_network, refuse_other_network
from resx.models.parts.foreign import export_weights, load_weights
from resx.store import checkpoint

FREE = {"run", "naming", "file", "outputs", "trust"}


def main(config: ExportConfig, typed: Typed) -> int:
    """Writes the file and says how its images are normalised; reads no image itself.

    Raises `RequestError` if the project has no such network, OSError if the disk is full.
    """
    if config.run is None:
        raise RequestError("name a run: resx export run=DIRECTORY naming=torchvision")
    saved = open_run(config.run).checkpoint()
    own = with_typed(saved["config"], typed, ExportConfig, FREE)
    mean, std, classes = saved["mean"], saved["std"], saved["classes"]
    shape = (len(classes), mean.shape[-1], own.data.image_size)
    trained = checkpoint.evaluated_weights(saved)
    refuse_other_network(own, *shape, trained)
    network = build_network(own, *shape, torch.device("cpu"))
    load_weights(network, trained, "resx")
    weights = export_weights(network, config.naming)
    file = Path(config.file or Path(config.run, f"{config.naming}.pt"))
    if not file.parent.is_dir():
        raise RequestError(f"file={file}: there is no folder {file.parent}")
    checkpoint.write(file, {name: value.contiguous() for name, value in weights.items()})
    average = mean.mean((0, 1)) if mean.ndim == 3 else mean
    print(f"{file}: {network.title}, {len(weights)} tensors in {config.naming}'s names")
    print(f"images in [0, 1], mean {_numbers(average)}, std {_numbers(std)}", end="")
    print(" (the run subtracted a mean of every pixel)" if mean.ndim == 3 else "")
    print(f"classes {', '.join(classes[:10])}{', ...' if len(classes) > 10 else ''}")
    return 0


def _numbers(values: torch.Tensor) -> str:
    return ", ".join(f"{value:.4f}" for value in values.tolist())
