"""What flows through a network: inputs and outputs of its blocks, and the graph between them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

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

    def watch(name: str, module: nn.Module) -> list[Any]:
        entries: list[GradientEdge] = []

        def enter(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            entries.append(get_gradient_edge(inputs[0]))

        def leave(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            edge = get_gradient_edge(output)
            found.append(Crossing(name, module, entries.pop(), edge, output.detach()))

        return [module.register_forward_pre_hook(enter), module.register_forward_hook(leave)]

    parts = [*network.blocks(), ("head", network.get_submodule("head"))]
    handles = [handle for part in parts for handle in watch(*part)]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def block_outputs(network: Network) -> Iterator[list[tuple[str, Tensor]]]:
    """Name and output of the stem and of every block, in the order in which they run."""
    found: list[tuple[str, Tensor]] = []

    def watch(name: str, module: nn.Module) -> Any:
        def leave(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            found.append((name, output.detach().clone()))  # the next layer may work in place

        return module.register_forward_hook(leave)

    parts = [("stem", network.get_submodule("stem")), *network.blocks()]
    handles = [watch(*part) for part in parts]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def weighted_layers(module: nn.Module) -> int:
    """Convolutions and linear layers."""
    weights = (getattr(m, "weight", None) for m in module.modules())
    return sum(isinstance(w, Tensor) and w.ndim >= 2 for w in weights)
