"""How strongly each layer of a branch, and each block, responds."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from resx.analyses.parts.facts import facts
from resx.analyses.parts.hooks import Look, evaluating
from resx.analyses.parts.layers import layers_of
from resx.analyses.parts.sample import first_images
from resx.experiment import Experiment


@dataclass
class Responses:
    """All outputs of a layer or of a branch, whatever the batches."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    shares: list[Tensor] = field(default_factory=list)

    def add(self, x: Tensor, output: Tensor) -> None:
        values = output.double()
        self.count += values.numel()
        self.total += values.sum().item()
        self.squares += values.square().sum().item()

    def add_with_share(self, x: Tensor, output: Tensor) -> None:
        """Also the output's norm as a share of the input's, image by image."""
        self.add(x, output)
        self.shares.append(output.flatten(1).norm(dim=1) / x.flatten(1).norm(dim=1))

    @property
    def std(self) -> float:
        """Of all numbers, with n - 1, as torch has it."""
        centred = self.squares - self.total**2 / self.count
        return float((max(centred, 0.0) / max(self.count - 1, 1)) ** 0.5)

    @property
    def ratio(self) -> float | None:
        """The mean share over images."""
        return torch.cat(self.shares).mean().item() if self.shares else None


def response_rows(experiment: Experiment, images: int) -> list[dict[str, Any]]:
    """A row for each layer of a branch (`std`), and one for each block (`std`, `ratio`).

    In evaluation mode over the first `images` training images. Raises `ValueError` for a network
    without blocks.
    """
    network = experiment.network
    found: list[tuple[dict[str, Any], Responses]] = []
    looks: list[tuple[nn.Module, Look]] = []
    for number, (name, block) in enumerate(network.blocks(), start=1):
        assert isinstance(block.branch, nn.Module)
        for place, module in layers_of(block.branch):
            row = {"block": number, "name": f"{name}.branch.{place}", "kind": "layer"}
            found.append((row, Responses()))
            looks.append((module, found[-1][1].add))
        found.append(({"block": number, "name": name, "kind": "block"}, Responses()))
        looks.append((block.branch, found[-1][1].add_with_share))
    if not found:
        raise ValueError(f"{network.title}: has no blocks with a branch")
    with evaluating(network, looks):
        for x in first_images(experiment, images):
            network(x)
    # A layer that a block never calls has no response.
    return [
        facts(experiment) | row | {"std": responses.std, "ratio": responses.ratio}
        for row, responses in found
        if responses.count
    ]
