"""Blocks taken out of a network or exchanged, for a while."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from scipy.stats import kendalltau
from torch import Tensor, nn

from resx.analyses.parts.hooks import looking
from resx.models.parts.network import Network


class Blocks:
    """The blocks of a network, in order, and the shapes that they take and give.

    Raises `ValueError` for a network without blocks.
    """

    def __init__(self, network: Network, images: Tensor) -> None:
        named = list(network.blocks())
        if not named:
            raise ValueError(f"{network.title}: has no blocks")
        self.network = network
        self.names = [name for name, _ in named]
        self.modules = [block for _, block in named]
        self.residual = any(hasattr(block, "shortcut") for block in self.modules)
        self.shapes: list[tuple[torch.Size, torch.Size]] = []
        with torch.no_grad(), looking([(block, self._note_shape) for block in self.modules]):
            network(images)

    def _note_shape(self, x: Tensor, output: Tensor) -> None:
        self.shapes.append((x.shape[1:], output.shape[1:]))

    def keeps_shape(self, number: int) -> bool:
        before, after = self.shapes[number]
        return before == after

    def deletable(self, number: int) -> bool:
        """A block with a shortcut always is: the shortcut is left."""
        return hasattr(self.modules[number], "shortcut") or self.keeps_shape(number)

    def alike(self, first: int, second: int) -> bool:
        """Do two blocks take and give the same shapes?"""
        return self.shapes[first] == self.shapes[second]


@contextmanager
def deleted(blocks: Blocks, numbers: Sequence[int]) -> Iterator[None]:
    """Without the branches of these blocks; a block without shortcut passes its input on.

    What follows the addition, as a ReLU, stays.
    """
    with ExitStack() as stack:
        for number in numbers:
            block = blocks.modules[number]
            if hasattr(block, "shortcut"):
                assert isinstance(block.branch, nn.Module)
                handle = block.branch.register_forward_hook(_zero)
            else:
                handle = block.register_forward_hook(_pass_on)
            stack.enter_context(handle)
        yield


def _zero(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    return torch.zeros_like(output)


def _pass_on(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    return inputs[0]


@contextmanager
def swapped(blocks: Blocks, pairs: Sequence[tuple[int, int]]) -> Iterator[float]:
    """With blocks exchanged pair by pair; yields Kendall's tau of the new order with the old."""
    order = list(range(len(blocks.names)))
    for first, second in pairs:
        order[first], order[second] = order[second], order[first]
    _arrange(blocks, order)
    try:
        yield float(kendalltau(range(len(order)), order).statistic)
    finally:
        _arrange(blocks, range(len(order)))


def _arrange(blocks: Blocks, order: Sequence[int]) -> None:
    """Put block order[i] where the i-th block was."""
    for name, number in zip(blocks.names, order):
        stage, place = name.split(".")
        setattr(blocks.network.get_submodule(stage), place, blocks.modules[number])
