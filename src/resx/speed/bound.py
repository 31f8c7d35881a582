"""What a machine could do: the network's products alone, and the bytes that must move.

A step cannot be faster than its convolutions and matrix products, each as the library computes it.
Between them batch norm must read what a convolution wrote to know its statistics, and write what
the next one reads; backward it reads the gradient and its input and writes a gradient. That is five
movements of a tensor, two and a half times what copying it costs; the addition of a shortcut reads
one tensor more each way (one copy); the update reads weights, gradients and momenta and writes
weights and momenta. Everything else could be fused with these and costs nothing here.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from resx.device import synchronize
from resx.training.step import forward_pass, micro_batches
from resx.training.update import WARM_UP, beside

aten = torch.ops.aten
PRODUCTS = {
    *(aten.convolution.default, aten.convolution_backward.default),
    *(aten.mm.default, aten.addmm.default, aten.bmm.default, aten.baddbmm.default),
    aten._scaled_dot_product_flash_attention_for_cpu.default,
    aten._scaled_dot_product_flash_attention_for_cpu_backward.default,
    aten._scaled_dot_product_flash_attention.default,
    aten._scaled_dot_product_flash_attention_backward.default,
    aten._scaled_dot_product_efficient_attention.default,
    aten._scaled_dot_product_efficient_attention_backward.default,
    aten._scaled_dot_product_cudnn_attention.default,
    aten._scaled_dot_product_cudnn_attention_backward.default,
}
NORMS = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm)
NORM_COPIES, SHORTCUT_COPIES, UPDATE_COPIES = 2.5, 1.0, 2.5
REPEATS = 5  # the fastest counts: a bound is what is possible
RECORDED = 20  # calls that a GPU makes in a row, so that asking for them is no part of the time


class Bound(NamedTuple):
    """Seconds of a step."""

    products: float
    traffic: float

    @property
    def total(self) -> float:
        return self.products + self.traffic


class Copied(NamedTuple):
    """A tensor that is moved."""

    numel: int
    dtype: torch.dtype


def bound(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    precision: str,
    micro_batch: int | None = None,
) -> Bound:
    """Of a training step on images (N, C, H, W); computes one such step, updates nothing."""
    moved: dict[Copied, float] = defaultdict(float)
    with _between(network, moved), _Products() as recorded:
        for part in micro_batches(images, labels, micro_batch):
            forward_pass(network, *part, precision)[1].backward()
    parameters = sum(p.numel() for p in network.parameters())
    network.zero_grad(set_to_none=True)
    moved[Copied(parameters, torch.float32)] += UPDATE_COPIES
    products = sum(n * _fastest(call, images.device) for call, n in recorded.calls())
    traffic = sum(n * _copying(*tensor, images.device) for tensor, n in moved.items())
    return Bound(products, traffic)


class _Products(TorchDispatchMode):
    """Every product that a step computes, with the shapes and memory layouts of its factors."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, Callable[[], Any]] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in PRODUCTS:
            described = tree_map_only(Tensor, _describe, (args, kwargs))
            key = f"{func}{described}"
            self.counts[key] += 1
            if key not in self.examples:  # the first one's tensors are kept until it is timed
                self.examples[key] = partial(func, *args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def calls(self) -> list[tuple[Callable[[], Any], int]]:
        return [(self.examples[key], count) for key, count in self.counts.items()]


def _describe(tensor: Tensor) -> tuple[Any, ...]:
    return tuple(tensor.shape), tensor.stride(), tensor.dtype


@contextmanager
def _between(network: nn.Module, moved: dict[Copied, float]) -> Iterator[None]:
    """Adds what norms and shortcuts move while the network is called."""

    def add(copies: float, module: nn.Module, _: Any, output: Tensor) -> None:
        moved[Copied(output.numel(), output.dtype)] += copies

    handles = []
    for module in network.modules():
        copies = NORM_COPIES * isinstance(module, NORMS)
        copies += SHORTCUT_COPIES * hasattr(module, "shortcut")
        if copies:
            handles.append(module.register_forward_hook(partial(add, copies)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _copying(numel: int, dtype: torch.dtype, device: torch.device) -> float:
    size = numel * dtype.itemsize
    # More than a GPU's cache holds: between two products a tensor comes from memory.
    cache = torch.cuda.get_device_properties(device).L2_cache_size if device.type == "cuda" else 0
    count = min(RECORDED, 1 + 2 * cache // size)
    pairs = cycle([*torch.ones(count, 2, numel, dtype=dtype, device=device)])

    def copy() -> None:
        source, target = next(pairs)
        target.copy_(source)

    return _fastest(copy, device)


def _fastest(call: Callable[[], Any], device: torch.device) -> float:
    if device.type == "cuda":
        return _fastest_recorded(call, device)
    times = []
    with torch.no_grad():
        for _ in range(1 + REPEATS):
            started = time.perf_counter()
            call()
            synchronize(device)
            times.append(time.perf_counter() - started)
    return min(times[1:])


def _fastest_recorded(call: Callable[[], Any], device: torch.device) -> float:
    """By the GPU's own clock, of calls that a CUDA graph makes.

    An operation of a small network is over before the next one could be asked for.
    """
    stream, graph = torch.cuda.Stream(device), torch.cuda.CUDAGraph()
    times = []
    with torch.no_grad(), beside(stream):
        for _ in range(WARM_UP):
            call()
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            for _ in range(RECORDED):
                call()
        for _ in range(1 + REPEATS):
            began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            began.record()
            graph.replay()
            ended.record()
            ended.synchronize()
            times.append(began.elapsed_time(ended) / 1000 / RECORDED)  # from milliseconds
    return min(times[1:])
