"""Looking at what passes through a network, and leaving it as it was."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

Look = Callable[[Tensor, Tensor], None]  # input and output of a module, in one forward pass


@contextmanager
def looking(network: nn.Module, looks: Iterable[tuple[nn.Module, Look]]) -> Iterator[None]:
    """Evaluation mode without gradients; each look is called whenever its module has run.

    A look reads at once what it needs: a later layer may overwrite it. Every module is put back
    into its own mode, and the hooks are taken off.
    """
    modes = {module: module.training for module in network.modules()}
    with ExitStack() as stack:
        for module, look in looks:
            stack.enter_context(_hooked(module, look))
        network.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            for module, mode in modes.items():
                module.training = mode


@contextmanager
def _hooked(module: nn.Module, look: Look) -> Iterator[None]:
    """The input is kept from before the module runs: one that works in place changes it."""
    before: list[Tensor] = []

    def enter(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        before.append(inputs[0].clone())

    def leave(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        look(before.pop(), output)

    handles = module.register_forward_pre_hook(enter), module.register_forward_hook(leave)
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
