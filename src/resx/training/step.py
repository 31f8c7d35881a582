"""One update of a network."""

from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim
from torch.nn.parallel import DistributedDataParallel

from resx.data.dataset import Batch
from resx.device import autocast
from resx.seeding import seed_next_part


def train_step(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    optimizer: optim.Optimizer,
    lr: float | Tensor,
    precision: str = "fp32",
    micro_batch: int | None = None,
    noisy: bool = False,
) -> Tensor:
    """One update. Returns (loss, error), still on the device: reading them would stall the step.

    Of micro-batches, whose size divides that of the batch, the gradients are summed, weighted so
    that they are those of the mean loss. A `noisy` network draws numbers for each of them apart.
    """
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.zero_grad(set_to_none=True)
    outcomes = []
    parts = micro_batches(images, labels, micro_batch)
    for number, (part, part_labels) in enumerate(parts, start=1):
        if noisy and number > 1:
            seed_next_part()
        with alone(network) if number < len(parts) else nullcontext():
            logits, loss = forward_pass(network, part, part_labels, precision)
            share = len(part) / len(images)
            (loss if share == 1 else share * loss).backward()
        with torch.no_grad():
            error = (logits.argmax(1) != part_labels).float().mean()
            outcomes.append(torch.stack((loss, error)))
    optimizer.step()
    return outcomes[0] if len(outcomes) == 1 else torch.stack(outcomes).mean(0)


def alone(network: nn.Module) -> AbstractContextManager[None]:
    """Within, gradients are summed in this process alone: it has more to add to them."""
    if isinstance(network, DistributedDataParallel):
        return network.no_sync()
    return nullcontext()


def micro_batches(images: Tensor, labels: Tensor, size: int | None) -> list[Batch]:
    """Parts of so many images, all of them alike in size; the batch itself for None."""
    if size is None:
        return [(images, labels)]
    return [*zip(images.split(size), labels.split(size))]


def forward_pass(
    network: nn.Module, images: Tensor, labels: Tensor, precision: str
) -> tuple[Tensor, Tensor]:
    """Logits (N, classes) and the mean cross-entropy, which is float32 in every precision."""
    with autocast(images.device, precision):
        logits = network(images)
    return logits, F.cross_entropy(logits.float(), labels)
