"""What a network costs: parameters, multiply-adds, memory for a training step."""

import copy
import weakref
from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter
from torch.utils.flop_counter import flop_registry, sdpa_flop

aten = torch.ops.aten


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def flops(network: nn.Module, in_channels: int, image_size: int) -> int:
    """Floating-point operations of one image's forward pass, two a multiply-add.

    By torch's formulas for each product that is computed. The papers' "FLOPs" are multiply-adds.
    """
    copied = copy.deepcopy(network).eval()
    image = torch.zeros(1, in_channels, image_size, image_size, device=_device(copied))
    with torch.no_grad(), _Counter() as counter:
        copied(image)
    return counter.flops


class _Watching(TorchDispatchMode):
    """Sees every operation, its arguments and what it made, without torch's compiler."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # or the compiler is imported: seconds, and 300 MB

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        self.see(func, args, kwargs or {}, made)
        return made

    def see(self, func: Any, args: Any, kwargs: dict[str, Any], made: Any) -> None:
        raise NotImplementedError


class _Counter(_Watching):
    """As torch's own FlopCounterMode, which would import the compiler."""

    FORMULAS = flop_registry | {aten._scaled_dot_product_flash_attention_for_cpu: sdpa_flop}

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0

    def see(self, func: Any, args: Any, kwargs: dict[str, Any], made: Any) -> None:
        if formula := self.FORMULAS.get(func.overloadpacket):
            self.flops += formula(*args, **kwargs, out_val=made)


def _device(network: nn.Module) -> torch.device:
    return next(network.parameters()).device


class StepMemory(NamedTuple):
    """Bytes of a training step in float32, beside the weights and what the optimizer keeps."""

    activations: int  # that the forward pass leaves for the backward pass
    peak: int  # the most at once: these, what is computed again for them, the gradients


def step_memory(
    network: nn.Module, in_channels: int, image_size: int, batch_size: int
) -> StepMemory:
    """Of so many images that pass at once, followed tensor by tensor on the meta device."""
    meta = copy.deepcopy(network).to("meta").train()
    shape = batch_size, image_size, image_size, in_channels
    images = torch.empty(shape, device="meta").permute(0, 3, 1, 2)
    labels = torch.empty(batch_size, dtype=torch.int64, device="meta")
    with _Following([*meta.parameters(), *meta.buffers()]) as following:
        loss = F.cross_entropy(meta(images), labels)
        activations = following.bytes
        loss.backward()
    return StepMemory(activations, following.peak)


class _Following(_Watching):
    """Counts the bytes of all tensors that operations make and nothing has let go of yet."""

    def __init__(self, known: Iterable[Tensor]) -> None:
        super().__init__()
        self.bytes = self.peak = 0
        # By storage, of which a view and its base have one.
        self.followed = weakref.WeakSet(tensor.untyped_storage() for tensor in known)

    def see(self, func: Any, args: Any, kwargs: dict[str, Any], made: Any) -> None:
        for tensor in tree_iter(made):
            if isinstance(tensor, Tensor):
                self.follow(tensor.untyped_storage())

    def follow(self, storage: torch.UntypedStorage) -> None:
        if storage not in self.followed:
            self.followed.add(storage)
            weakref.finalize(storage, self.let_go, storage.nbytes())
            self.bytes += storage.nbytes()
            self.peak = max(self.peak, self.bytes)

    def let_go(self, count: int) -> None:
        self.bytes -= count
