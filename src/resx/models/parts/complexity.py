"""What a network costs: parameters, multiply-adds, memory for activations."""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def flops(network: nn.Module, in_channels: int, image_size: int) -> int:
    """Floating-point operations of one image's forward pass, two a multiply-add.

    Counted by torch on the meta device: nothing is computed. The papers' "FLOPs" are multiply-adds.
    """
    meta = copy.deepcopy(network).to("meta").eval()
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        meta(torch.empty(1, in_channels, image_size, image_size, device="meta"))
    return counter.get_total_flops()


def activation_memory(
    network: nn.Module, in_channels: int, image_size: int, batch_size: int
) -> int:
    """Bytes that autograd keeps between forward and backward in float32, parameters not counted."""
    meta = copy.deepcopy(network).to("meta").train()
    own = {id(p) for p in meta.parameters()} | {id(b) for b in meta.buffers()}
    kept: dict[int, Tensor] = {}  # by the object that owns the memory, so that views count once

    def keep(tensor: Tensor) -> Tensor:
        owner = tensor._base if tensor._base is not None else tensor
        if id(owner) not in own:
            kept[id(owner)] = owner
        return tensor

    images = torch.empty(batch_size, in_channels, image_size, image_size, device="meta")
    labels = torch.empty(batch_size, dtype=torch.int64, device="meta")
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        F.cross_entropy(meta(images), labels)
    return sum(t.numel() * t.element_size() for t in kept.values())
