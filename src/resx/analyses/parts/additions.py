"""Blocks that add their branch to their shortcut: only of these F(x) is what a block adds."""

from functools import partial

import torch
from torch import Tensor, nn

from resx.analyses.parts.batch_norm import set_mode
from resx.analyses.parts.hooks import looking
from resx.analyses.parts.undisturbed import undisturbed
from resx.experiment import Experiment

CLOSE = 1e-4  # of the largest output: float32 adds far better


def refuse_unless_added(experiment: Experiment) -> None:
    """Raises `ValueError` unless every residual block gives after(shortcut + branch).

    `after` is the block's module of that name, else a ReLU or nothing. With a gate, a scale or a
    concatenation between them a block without its branch is not its shortcut, the gradient has more
    ways than these two, and the branch is not what is added. Two images of noise show it.
    """
    network, data = experiment.network, experiment.dataset
    noise = torch.Generator().manual_seed(0)
    shape = (2, data.channels, data.image_size, data.image_size)
    images = torch.rand(shape, generator=noise).to(experiment.device)
    found: dict[nn.Module, Tensor] = {}

    def keep(module: nn.Module, _: Tensor, output: Tensor) -> None:
        found[module] = output.clone()  # what follows may work in place

    blocks = [(name, block) for name, block in network.blocks() if hasattr(block, "shortcut")]
    seen = [m for _, block in blocks for m in (block, block.branch, block.shortcut)]
    looks = [(module, partial(keep, module)) for module in seen if isinstance(module, nn.Module)]
    with undisturbed(network), torch.no_grad(), looking(looks):
        set_mode(network, "eval")
        network(images)
    with undisturbed(network), torch.no_grad():
        set_mode(network, "eval")
        for name, block in blocks:
            branch, shortcut = block.get_submodule("branch"), block.get_submodule("shortcut")
            if not _adds(block, found[block], found[branch], found[shortcut]):
                raise ValueError(
                    f"{network.title}: {name} is not its shortcut plus its branch, but gated,"
                    " scaled or concatenated: what its branch adds is not defined"
                )


def _adds(block: nn.Module, output: Tensor, branch: Tensor, shortcut: Tensor) -> bool:
    if branch.shape != shortcut.shape:
        return False
    total = shortcut + branch
    after = getattr(block, "after", None)
    whole = [after(total.clone())] if isinstance(after, nn.Module) else [total, total.relu()]
    within = CLOSE * float(output.abs().max())
    return any(w.shape == output.shape and bool((w - output).abs().max() <= within) for w in whole)
