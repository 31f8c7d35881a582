"""What goes into and comes out of every block, with the loss's gradient at its input."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resx.analyses.parts.crossings import crossings
from resx.analyses.parts.hooks import Look, looking
from resx.data.dataset import Batch
from resx.models.parts.network import Network


class Passage(NamedTuple):
    """One block's input x and output (N, ...), what its branch adds, and dL/dx of each image.

    `added` is F(x) of a residual block and the output less x of a plain one, None where the block
    changes the shape.
    """

    name: str
    x: Tensor
    output: Tensor
    added: Tensor | None
    gradient: Tensor

    @property
    def keeps_shape(self) -> bool:
        return self.x.shape == self.output.shape


def passages(network: Network, batch: Batch) -> list[Passage]:
    """Of every block, in one pass of the images through the network in the mode that it is in.

    Raises `ValueError` for a network without blocks.
    """
    images, labels = batch
    ends: list[tuple[Tensor, Tensor]] = []
    branches: list[Tensor | None] = []
    looks: list[tuple[nn.Module, Look]] = []
    blocks = [block for _, block in network.blocks()]
    if not blocks:
        raise ValueError(f"{network.title}: has no blocks")
    for block in blocks:
        looks.append((block, lambda x, output: ends.append((x, output.clone()))))
        if hasattr(block, "shortcut"):
            assert isinstance(block.branch, nn.Module)
            looks.append((block.branch, lambda _, output: branches.append(output.clone())))
    with looking(looks), crossings(network) as found:
        loss = F.cross_entropy(network(images), labels, reduction="sum")
    crossed = found[:-1]  # without the head
    gradients = torch.autograd.grad(loss, [crossing.entry for crossing in crossed])
    added = iter(branches)
    return [
        Passage(
            c.name, *end, _added(*end, next(added) if hasattr(c.block, "shortcut") else None), g
        )
        for c, end, g in zip(crossed, ends, gradients)
    ]


def _added(x: Tensor, output: Tensor, branch: Tensor | None) -> Tensor | None:
    if branch is not None:
        return branch if branch.shape == x.shape else None
    return output - x if output.shape == x.shape else None
