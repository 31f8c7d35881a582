"""A block learns to give back its input; and how far blocks are from doing so."""

import copy
import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from resx.analyses.parts.facts import facts
from resx.analyses.parts.hooks import evaluating
from resx.analyses.parts.layers import NORMS
from resx.analyses.parts.memory import BYTES, refuse_too_large
from resx.analyses.parts.sample import first_images
from resx.experiment import Experiment
from resx.models.building import build_network
from resx.models.parts.network import Network

BATCH = 64
EVERY = 10  # steps between records


def block_sizes(experiment: Experiment, images: int) -> Iterator[dict[str, Any]]:
    """A row a block of the experiment's own weights."""
    network, device = experiment.network, experiment.device
    x = torch.cat(list(first_images(experiment, images)))
    needed = 2 * BYTES * len(x) * largest_input(network, x[:1]) * len(list(network.blocks()))
    refuse_too_large(needed, device, f"images={images}: holding the inputs of all blocks")
    for number, (name, block, features) in enumerate(keeping_blocks(network, x), start=1):
        branches: list[Tensor] = []

        def keep(_: Tensor, output: Tensor, into: list[Tensor] = branches) -> None:
            into.append(output.clone())

        assert isinstance(block.branch, nn.Module)
        with evaluating(block, [(block.branch, keep)]):
            output = block(features.clone())
        norm = features.norm()
        yield facts(experiment) | {
            "kind": "size",
            "block": number,
            "name": name,
            "size": (branches[0].norm() / norm).item(),
            "distance": ((output - features).norm() / norm).item(),
        }


def lessons_of(
    experiment: Experiment, images: int, steps: int, lr: float, threshold: float
) -> list[dict[str, Any]]:
    """A row a record; the block learns on batches that are drawn by the network's seed."""
    config, data = experiment.config, experiment.dataset
    shape = (len(data.classes), data.channels, data.image_size)
    with torch.random.fork_rng(devices=[]):  # torch draws first weights of its own
        fresh = build_network(config, *shape, experiment.device)
    kept = keeping_blocks(fresh, torch.cat(list(first_images(experiment, images))))
    if not kept:
        raise ValueError(f"{fresh.title}: no block keeps the shape of its input")
    name, block, features = kept[0]
    rows = []
    for norm, pupil in ((True, block), (False, without_norms(block))):
        errors = learn_identity(pupil, features, steps, lr, config.seed)
        reached = next((step for step, error in errors.items() if error <= threshold), None)
        common = facts(experiment) | {"kind": "lesson", "name": name, "with_norm": norm}
        common |= {"step": 0, "reached": reached}
        rows += [common | {"lesson_step": s, "error": error} for s, error in errors.items()]
    return rows


def keeping_blocks(network: Network, x: Tensor) -> list[tuple[str, nn.Module, Tensor]]:
    """Name, block and input of each block whose branch keeps the shape of its input."""
    found: list[tuple[str, nn.Module, Tensor]] = []

    def keep(name: str, block: nn.Module, x: Tensor, output: Tensor) -> None:
        if x.shape == output.shape:
            found.append((name, block, x))

    looks = [(block, partial(keep, name, block)) for name, block in network.blocks()]
    with evaluating(network, looks):
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

    with evaluating(network, [(block, keep) for _, block in network.blocks()]):
        network(x)
    return max(found)


def without_norms(block: nn.Module) -> nn.Module:
    """A copy in which every normalisation does nothing."""
    bare = copy.deepcopy(block)
    for module in bare.modules():
        for name, child in module.named_children():
            if isinstance(child, NORMS):
                setattr(module, name, nn.Identity())
    return bare


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
