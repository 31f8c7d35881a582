"""Which paths through a residual network carry its gradient (Veit 2016, arXiv:1605.06431)."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import binom
from torch import Tensor, nn

from resx.analyses.parts.surgery import Blocks
from resx.data.dataset import Batch

MOST_LENGTHS = 14  # of deep nets every few lengths only: the curve is smooth


def gradient_by_length(
    blocks: Blocks, batch: Batch, draws: int, seed: list[int]
) -> list[dict[str, Any]]:
    """A row a path length k: the mean norm of dL/dx at the first block, and the paths' share.

    Sec. 4.3: forward through everything; backward, k blocks drawn at random let the gradient
    through their branch alone, the others through their shortcut alone. Of 2^n paths
    Binomial(n, 1/2) have length k; a length's gradient is its paths' number times the norm.
    """
    inside = [i for i, m in enumerate(blocks.modules) if hasattr(m, "shortcut")]
    n = len(inside)
    rows = []
    for k in sorted({round(float(k)) for k in np.linspace(0, n, min(n + 1, MOST_LENGTHS))}):
        norms = []
        for draw in range(draws):
            random = np.random.default_rng([*seed, k, draw])
            with one_path(blocks, random.choice(inside, k, replace=False).tolist()):
                gradient = input_gradient(blocks, batch)
            norms.append(float(gradient.flatten(1).norm(dim=1).mean()))
        share = float(binom.pmf(k, n, 0.5))
        norm = float(np.mean(norms))
        row = {"kind": "path", "number": k, "norm": norm, "paths": share, "carried": share * norm}
        rows.append(row)
    return rows


@contextmanager
def one_path(blocks: Blocks, through: Sequence[int]) -> Iterator[None]:
    """The gradient passes the branches of `through`, and the shortcuts of all other blocks."""
    with ExitStack() as stack:
        for number, block in enumerate(blocks.modules):
            if hasattr(block, "shortcut"):
                closed = block.shortcut if number in through else block.branch
                assert isinstance(closed, nn.Module)
                stack.enter_context(closed.register_forward_hook(_detach))
        yield


def _detach(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    return output.detach()


def input_gradient(blocks: Blocks, batch: Batch) -> Tensor:
    """Of the loss, summed over images, with respect to the first block's input: (N, ...)."""
    images, labels = batch
    kept: list[Tensor] = []

    def keep(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        kept.append(inputs[0].detach().requires_grad_())
        return (kept[0],)

    with blocks.modules[0].register_forward_pre_hook(keep):
        loss = F.cross_entropy(blocks.network(images), labels, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, kept)
    return gradient
