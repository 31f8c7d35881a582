"""What goes into and comes out of every block, and how to compare two sets of features."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resx.data.dataset import Batch
from resx.models.parts.network import Network

Hook = Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]


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
    kept: dict[str, dict[str, Tensor]] = {}
    with ExitStack() as stack:
        for name, block in network.blocks():
            stack.callback(block.register_forward_hook(_keep(kept.setdefault(name, {}))).remove)
            if hasattr(block, "shortcut"):
                assert isinstance(block.branch, nn.Module)
                hook = _keep_output(kept[name])
                stack.callback(block.branch.register_forward_hook(hook).remove)
        loss = F.cross_entropy(network(images), labels, reduction="sum")
    if not kept:
        raise ValueError("the network has no blocks")
    inputs = [tensors["x"] for tensors in kept.values()]
    gradients = torch.autograd.grad(loss, inputs)
    return [_passage(n, t, g) for (n, t), g in zip(kept.items(), gradients)]


def _passage(name: str, tensors: dict[str, Tensor], gradient: Tensor) -> Passage:
    x, output = tensors["x"].detach(), tensors["output"].detach()
    added = tensors["branch"].detach() if "branch" in tensors else None
    if added is None and x.shape == output.shape:
        added = output - x
    if added is not None and added.shape != x.shape:
        added = None
    return Passage(name, x, output, added, gradient)


def _keep(into: dict[str, Tensor]) -> Hook:
    def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        into["x"], into["output"] = inputs[0], output

    return hook


def _keep_output(into: dict[str, Tensor]) -> Hook:
    def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        into["branch"] = output

    return hook


def pooled(features: Tensor) -> Tensor:
    """Means over places: (N, C, H, W) or (N, tokens, C) -> (N, C)."""
    return features.mean((2, 3)) if features.ndim == 4 else features.mean(1)


def cosine(first: Tensor, second: Tensor) -> float:
    """The mean over images of the cosine of two tensors (N, ...); images of norm 0 are left out."""
    first, second = first.flatten(1).double(), second.flatten(1).double()
    lengths = first.norm(dim=1) * second.norm(dim=1)
    dots = (first * second).sum(1)
    return float((dots[lengths > 0] / lengths[lengths > 0]).mean())


def linear_cka(first: Tensor, second: Tensor) -> float:
    """|Y'X|^2 / (|X'X| |Y'Y|) of centred features, one row an image (Kornblith 2019, 1905.00414).

    Through the N x N Gram matrices, as images are fewer than features. 1 for equal features, also
    if one set is rotated or scaled.
    """
    grams = []
    for features in (first, second):
        centred = features.flatten(1).double()
        centred = centred - centred.mean(0)
        grams.append(centred @ centred.T)
    k, m = grams
    return float((k * m).sum() / (k.norm() * m.norm()))
