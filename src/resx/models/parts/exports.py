"""What a file of exported weights says beside its tensors, and what has to be done to load it."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor, nn

from resx.errors import RequestError
from resx.models.parts.network import Network

ATTRIBUTE = "resx"  # of the state dict, as torch keeps `_metadata`: no name among the tensors
POOLS = {"conv1": "maxpool", "features.conv0": "features.pool0"}  # behind torchvision's first layer


class Made(NamedTuple):
    """With which images weights were trained: their normalisation, as a run has it, and classes."""

    mean: Tensor
    std: Tensor
    classes: list[str]


def with_made(weights: Mapping[str, Tensor], made: Made) -> "OrderedDict[str, Tensor]":
    """A state dict that any project loads strictly and that carries `made` to `made_of`."""
    carrying = OrderedDict((name, value.contiguous()) for name, value in weights.items())
    setattr(carrying, ATTRIBUTE, made._asdict())
    return carrying


def made_of(loaded: Mapping[str, Any]) -> Made | None:
    """What a file says of its images; None if it is not resx's export.

    Raises `RequestError` if it is damaged.
    """
    said = getattr(loaded, ATTRIBUTE, None)
    if said is None:
        return None
    try:
        made = Made(**said)
    except TypeError as error:
        raise RequestError(f"what the export says of its images is damaged: {error}") from error
    numbers = isinstance(made.mean, Tensor) and isinstance(made.std, Tensor)
    named = isinstance(made.classes, list) and all(isinstance(name, str) for name in made.classes)
    if not (numbers and named and made.mean.ndim in (1, 3) and made.std.ndim == 1):
        raise RequestError("what the export says of its images is damaged")
    return made


def changes(network: Network, naming: str) -> list[str]:
    """Lines of Python that fit the project's own network `net` to weights of these images.

    There are none for images as the project's networks expect them: colour, of 64 pixels and up.
    """
    if naming != "torchvision":
        return []
    place = network.foreign[naming]("stem.0.weight").removesuffix(".weight")
    if place not in POOLS:  # a ViT's title says its sizes
        return []
    first = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    if first.kernel_size == (7, 7) and first.in_channels == 3:
        return []
    shape = f"{first.in_channels}, {first.out_channels}, {first.kernel_size[0]}"
    shape += f", {first.stride[0]}, {first.padding[0]}"
    lines = [f"net.{place} = nn.Conv2d({shape}, bias=False)"]
    stem = network.get_submodule("stem").children()
    if not any(isinstance(module, nn.MaxPool2d) for module in stem):
        lines.append(f"net.{POOLS[place]} = nn.Identity()")
    return lines
