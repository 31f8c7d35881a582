"""Looking at what passes through a network while it runs."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from resx.analyses.parts.batch_norm import set_mode
from resx.analyses.parts.undisturbed import undisturbed
from resx.models.parts.network import Network

Look = Callable[[Tensor, Tensor], None]  # input and output of a module, in one forward pass


@contextmanager
def looking(looks: Iterable[tuple[nn.Module, Look]]) -> Iterator[None]:
    """Each look is called with input and output of its module whenever that has run.

    Both are values without a graph. A look copies the output if it keeps it, as a later layer may
    overwrite it; the input is a copy from before the module ran, which may work in place.
    """
    with ExitStack() as stack:
        for module, look in looks:
            before: list[Tensor] = []

            def enter(
                _: nn.Module, inputs: tuple[Tensor, ...], into: list[Tensor] = before
            ) -> None:
                into.append(inputs[0].detach().clone())

            def leave(
                _: nn.Module,
                inputs: tuple[Tensor, ...],
                output: Tensor,
                look: Look = look,
                before: list[Tensor] = before,
            ) -> None:
                look(before.pop(), output.detach())

            stack.enter_context(module.register_forward_pre_hook(enter))
            stack.enter_context(module.register_forward_hook(leave))
        yield


@contextmanager
def evaluating(network: nn.Module, looks: Iterable[tuple[nn.Module, Look]]) -> Iterator[None]:
    """Evaluation mode without gradients, for the looks alone: the network is left as it was.

    Batch norm that has seen nothing takes the means of the images (`set_mode`).
    """
    with undisturbed(network), looking(looks), torch.no_grad():
        set_mode(network, "eval")
        yield


@contextmanager
def block_outputs(network: Network) -> Iterator[list[tuple[str, Tensor]]]:
    """Name and output of the stem and of every block, in the order in which they run."""
    found: list[tuple[str, Tensor]] = []

    def look(name: str) -> Look:
        return lambda _, output: found.append((name, output.clone()))

    parts = [("stem", network.get_submodule("stem")), *network.blocks()]
    with looking([(module, look(name)) for name, module in parts]):
        yield found
