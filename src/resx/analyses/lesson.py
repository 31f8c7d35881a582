"""A block learns to give back its input."""

import copy
import math
from functools import partial

import torch
from torch import Tensor, nn

from resx.analyses.looking import looking
from resx.models.parts.network import Network

BATCH = 64
EVERY = 5  # steps between records


def keeping_blocks(network: Network, x: Tensor) -> list[tuple[str, nn.Module, Tensor]]:
    """Name, block and input of each block whose branch keeps the shape of its input."""
    found: list[tuple[str, nn.Module, Tensor]] = []

    def keep(name: str, block: nn.Module, x: Tensor, output: Tensor) -> None:
        if x.shape == output.shape:
            found.append((name, block, x))

    looks = [(block, partial(keep, name, block)) for name, block in network.blocks()]
    with looking(network, looks):
        network(x)
    return found


def distance(output: Tensor, x: Tensor) -> Tensor:
    """|output - x|^2 / |x|^2 over the whole batch."""
    return (output - x).square().sum() / x.square().sum()


def largest_input(network: Network, x: Tensor) -> int:
    """How many numbers the largest input of a block has."""
    found: list[int] = []

    def keep(features: Tensor, _: Tensor) -> None:
        found.append(features.numel())

    with looking(network, [(block, keep) for _, block in network.blocks()]):
        network(x)
    return max(found)


def learn_identity(
    block: nn.Module, x: Tensor, steps: int, lr: float, seed: int
) -> dict[int, float]:
    """The relative squared error on all of `x`, in training mode, after so many steps of Adam.

    The block itself is not touched: a copy learns.
    """
    block = copy.deepcopy(block).train()
    optimizer = torch.optim.Adam(block.parameters(), lr)
    generator = torch.Generator().manual_seed(seed)
    errors = {0: _error(block, x)}
    for step in range(1, steps + 1):
        batch = x[torch.randint(len(x), (BATCH,), generator=generator).to(x.device)]
        loss = distance(block(batch.clone()), batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if step % EVERY == 0 or step == steps:
            errors[step] = _error(block, x)
    return errors


@torch.no_grad()
def _error(block: nn.Module, x: Tensor) -> float:
    """Batch norm takes the statistics of all of `x`; on a copy, so that nothing is remembered."""
    error = distance(copy.deepcopy(block)(x.clone()), x).item()
    return error if math.isfinite(error) else math.inf
