"""Slices through the loss along filter-normalised directions (Li 2018, arXiv:1712.09913)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from resx.analyses.parts.sample import penalized_loss
from resx.data.dataset import Batch
from resx.seeding import generator

Array = NDArray[np.float64]
Direction = list[Tensor]


@dataclass(frozen=True)
class Slices:
    """Which slices: `line` points along each of `directions`, grid x grid over the first two.

    All reach from -span to span. `eigenvalues` x `eigenvalues` points of the grid get the extreme
    eigenvalues of their Hessian, by `steps` products.
    """

    line: int
    grid: int
    directions: int
    span: float
    eigenvalues: int
    steps: int
    seed: int

    def __post_init__(self) -> None:
        for name, least in (("directions", 1), ("eigenvalues", 0), ("steps", 2)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}={getattr(self, name)}: must be at least {least}")
        if not self.span > 0:
            raise ValueError(f"span={self.span}: must be positive")
        for name in ("line", "grid"):
            try:
                coordinates(self.span, getattr(self, name))
            except ValueError as error:
                raise ValueError(f"{name}={getattr(self, name)}: {error}") from error


def direction(network: nn.Module, seed: int, number: int) -> Direction:
    """d_ij |w_ij| / |d_ij| for filter j of layer i, d Gaussian; a tensor a parameter (Sec. 4).

    Zero for biases and for the gains of normalisation, as in the paper's code. What is called
    alike in two networks and has one shape is drawn alike.
    """
    directions = []
    for name, weight in network.named_parameters():
        if weight[0].numel() == 1:  # one number an output
            directions.append(torch.zeros_like(weight))
            continue
        drawn = torch.randn(weight.shape, generator=generator(seed, "direction", number, name))
        drawn = drawn.to(weight)
        lengths = [t.detach().flatten(1).norm(dim=1) for t in (weight, drawn)]
        scale = (lengths[0] / lengths[1]).view(-1, *[1] * (weight.ndim - 1))
        directions.append(drawn * scale)
    return directions


@torch.no_grad()
def losses(
    network: nn.Module,
    batch: Batch,
    directions: Sequence[Direction],
    points: Array,
    decay: float = 0.0,
) -> Array:
    """Of the weights w + sum_k points[i, k] * directions[k], for every i: (N, D) -> (N,).

    The weights are w again afterwards; nothing that is not finite is hidden.
    """
    parameters = list(network.parameters())
    first = [p.clone() for p in parameters]
    found = []
    for point in points.tolist():
        move(parameters, first, directions, point)
        found.append(penalized_loss(network, batch, decay).double())
    move(parameters, first, directions, [0.0] * len(directions))
    return torch.stack(found).cpu().numpy()


@torch.no_grad()
def move(
    parameters: Sequence[Tensor],
    first: Sequence[Tensor],
    directions: Sequence[Direction],
    point: Sequence[float],
) -> None:
    """Set the parameters to first + sum_k point[k] * directions[k]."""
    for i, (parameter, start) in enumerate(zip(parameters, first)):
        parameter.copy_(start)
        for along, distance in zip(directions, point):
            if distance:
                parameter.add_(along[i], alpha=distance)


def coordinates(span: float, count: int) -> Array:
    """`count` numbers from -span to span, 0 among them. Raises `ValueError` for an even count."""
    if count < 3 or count % 2 == 0:
        raise ValueError(f"must be odd and at least 3, so that the weights are on it, not {count}")
    return np.linspace(-span, span, count)


def square(x: np.ndarray) -> np.ndarray:
    """(n,) -> (n * n, 2): every pair."""
    return np.stack(np.meshgrid(x, x, indexing="ij"), -1).reshape(-1, 2)


def roughness(loss: Array, ceiling: float) -> float:
    """Total variation of a 1-D slice over that of one valley with the same ends and minimum.

    1 for whatever only falls and then only rises, however steep or bent; 2 if the bumps are as
    high in sum as the valley's walls. Losses count up to `ceiling`, as what happens in the
    distance would hide the rest.
    """
    clipped = np.minimum(np.nan_to_num(loss, nan=ceiling, posinf=ceiling), ceiling)
    walls = clipped[0] + clipped[-1] - 2 * clipped.min()
    return float(np.abs(np.diff(clipped)).sum() / walls) if walls > 0 else 1.0


def unevenness(loss: Array, ceiling: float) -> float:
    """Root mean square of the residuals of a quadratic fit, over the range of the slice."""
    clipped = np.minimum(np.nan_to_num(loss, nan=ceiling, posinf=ceiling), ceiling)
    x = np.linspace(-1, 1, len(clipped))
    residuals = clipped - np.polyval(np.polyfit(x, clipped, 2), x)
    reach = float(np.ptp(clipped))
    return float(np.sqrt(np.mean(residuals**2)) / reach) if reach > 0 else 0.0


def clipped(loss: Array, ceiling: float) -> float:
    """The share of a slice's points whose loss is the ceiling or more, or not finite."""
    return float((~(loss < ceiling)).mean())


def basin(loss: Array, level: float) -> float:
    """The share of a slice's points with a loss of at most `level`."""
    return float((loss <= level).mean())
