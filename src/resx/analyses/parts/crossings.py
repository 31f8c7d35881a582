"""Where each block is entered and left in the graph of a forward pass, and its Jacobian."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from resx.models.parts.network import Network


class Crossing(NamedTuple):
    """Where a block was entered and left in one forward pass.

    Edges of the graph, not tensors, as a later layer may work in place on the tensor.
    """

    name: str
    block: nn.Module
    entry: GradientEdge
    exit: GradientEdge
    output: Tensor

    def jacobian(self, probes: int, generator: torch.Generator) -> float:
        """The squared Frobenius norm of d output / d input, over the number of images.

        |J|^2 = E |v^T J|^2 for random signs v (Hutchinson 1989), the mean over `probes` of them.
        """
        total = 0.0
        for _ in range(probes):
            signs = torch.randint(2, self.output.shape, generator=generator) * 2 - 1
            v = signs.to(self.output)
            (vjp,) = torch.autograd.grad(self.exit, self.entry, v, retain_graph=True)
            total += vjp.double().square().sum().item()
        return total / probes / len(self.output)


@contextmanager
def crossings(network: Network) -> Iterator[list[Crossing]]:
    """Every block, and at last the head, in the order in which they run within this context."""
    found: list[Crossing] = []
    entries: list[
        GradientEdge
    ] = []  # of the blocks that are running: one within another comes last

    def enter(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        entries.append(get_gradient_edge(inputs[0]))

    with ExitStack() as stack:
        for name, module in [*network.blocks(), ("head", network.get_submodule("head"))]:

            def leave(
                block: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, name: str = name
            ) -> None:
                edge = get_gradient_edge(output)
                found.append(Crossing(name, block, entries.pop(), edge, output.detach()))

            stack.enter_context(module.register_forward_pre_hook(enter))
            stack.enter_context(module.register_forward_hook(leave))
        yield found
