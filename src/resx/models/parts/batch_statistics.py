"""Over which images batch norm takes its means: in training, and in evaluations."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from resx.device import autocast
from resx.distributed import part, total
from resx.models.parts.network import Network

BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


class GhostBatchNorm2d(nn.BatchNorm2d):
    """Batch norm over every `images` images of a batch apart: (N, C, H, W) -> the same.

    As on several GPUs, each with its share of the batch (He 2015: 128 images on two of them), or as
    a regulariser (Hoffer et al. 2017, arXiv:1705.08741, Algorithm 1). In evaluation mode it is
    batch norm.
    """

    def __init__(self, channels: int, images: int) -> None:
        super().__init__(channels)
        self.images = images

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or len(x) <= self.images:
            return super().forward(x)
        return torch.cat(
            [super(GhostBatchNorm2d, self).forward(part) for part in x.split(self.images)]
        )


def use_ghost_batches(network: Network, images: int) -> None:
    """Replace every batch norm; parameters, buffers and their names stay."""
    replace_norms(network, lambda channels: GhostBatchNorm2d(channels, images))


def replace_norms(network: Network, make: Callable[[int], nn.BatchNorm2d]) -> None:
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.BatchNorm2d:
                other = make(child.num_features)
                for own in ("weight", "bias", "eps", "momentum", *BUFFERS):
                    setattr(other, own, getattr(child, own))
                setattr(parent, name, other)


def batch_norms(network: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]


@torch.no_grad()
def reestimate(network: nn.Module, batches: Iterable[Tensor], precision: str = "fp32") -> None:
    """Set batch norm's running statistics to their plain means over these batches of images.

    In training they are averages over the last steps, in which the weights have moved on: the
    deeper the network, the further it is off while the learning rate is high. These are of the
    weights as they are (Wu and Johnson 2021, arXiv:2105.07576, Sec. 3). Dropout is off; the mode
    of the network stays. Several processes have equally many batches each, and means over all.
    """
    norms = batch_norms(network)
    modes = [(module, module.training) for module in network.modules()]
    momenta = [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # torch's word for a plain mean over all batches
        norm.train()
    try:
        for images in batches if norms else ():
            with autocast(images.device, precision):
                network(images)
        _average_over_processes(norms)
    finally:
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum
        for module, training in modes:
            module.training = training


def _average_over_processes(norms: list[nn.BatchNorm2d]) -> None:
    if not norms or (world := part().world) == 1:
        return
    buffers = [b for n in norms for b in (n.running_mean, n.running_var) if b is not None]
    means = total(torch.cat(buffers)) / world
    for buffer, mean in zip(buffers, means.split([len(buffer) for buffer in buffers])):
        buffer.copy_(mean)


def statistics(network: nn.Module) -> dict[str, Tensor]:
    """Copies of batch norm's running statistics, by their names in a state dict."""
    return {
        f"{name}.{key}": buffer.clone()
        for name, module in network.named_modules()
        if isinstance(module, nn.BatchNorm2d)
        for key, buffer in module.named_buffers()
    }


@contextmanager
def kept_statistics(network: nn.Module) -> Iterator[None]:
    """Whatever happens within to batch norm's running statistics is undone."""
    buffers = [buffer for norm in batch_norms(network) for buffer in norm.buffers()]
    copies = [buffer.clone() for buffer in buffers]
    try:
        yield
    finally:
        for buffer, copy in zip(buffers, copies):
            buffer.copy_(copy)
