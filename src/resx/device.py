"""The device and the arithmetic on it."""

import logging
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import islice
from pathlib import Path

import torch

from resx.config.precision import has_native_bf16
from resx.errors import RequestError
from resx.process import place, several

log = logging.getLogger(__name__)

CLEAR_REFS = Path("/proc/self/clear_refs")  # Linux
AHEAD = 64  # small tensors that go to a CUDA device in one copy


def pick_device(name: str) -> torch.device:
    """`auto` takes CUDA, then MPS, then the CPU. Raises `RequestError` for one that is absent."""
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available() and not several(),  # torch exchanges nothing there
        "cpu": True,
    }
    kind = next(k for k in present if present[k]) if name == "auto" else name.split(":")[0]
    if kind not in present:
        raise RequestError(f"device={name}: must be one of auto, {', '.join(present)}")
    if not present[kind]:
        raise RequestError(f"device={name}: there is none here; device=auto takes what there is")
    try:
        device = torch.device(kind if name == "auto" else name)
    except RuntimeError as error:
        raise RequestError(f"device={name}: {str(error).splitlines()[0]}") from error
    if several() and device.type == "cuda":
        if device.index is not None:
            raise RequestError(f"device={name}: every process takes a GPU of its own; device=cuda")
        device = torch.device("cuda", place().on_host)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise RequestError(f"device={name}: there are {torch.cuda.device_count()} CUDA devices")
    return device


def set_deterministic(enabled: bool) -> None:
    """Have torch refuse operations without a deterministic implementation."""
    if enabled:  # cuBLAS reads this when it starts
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    if enabled != torch.are_deterministic_algorithms_enabled():  # setting it imports the compiler
        torch.use_deterministic_algorithms(enabled)
    torch.backends.cudnn.benchmark = not enabled


def set_float32(device: torch.device, precision: str) -> None:
    """On CUDA `fp32` is float32, and only `tf32` rounds the factors of products to 10 bits.

    torch alone would let convolutions do so unasked. Raises `RequestError` for tf32 elsewhere.
    """
    if precision == "tf32" and device.type != "cuda":
        raise RequestError(f"precision=tf32: only CUDA devices have it, not {device.type}")
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"


def warn_of_emulation(device: torch.device, precision: str) -> None:
    """Asking for bf16 where it has no instructions of its own is allowed, and said to be slow."""
    if precision == "bf16" and not has_native_bf16(device.type):
        factor = bf16_slowdown(device)
        log.warning(
            "precision=bf16 is emulated here: a convolution takes %.1f times as long as in float32;"
            " precision=auto takes bf16 only where it is native",
            factor,
        )


def autocast(device: torch.device, precision: str) -> AbstractContextManager[None]:
    """`bf16` runs convolutions and products in bfloat16; weights and optimizer stay float32."""
    if precision == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def sent(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A tensor of the CPU on the device; from CUDA nothing is waited for."""
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def sent_ahead(tensors: Iterator[torch.Tensor], device: torch.device) -> Iterator[torch.Tensor]:
    """Small tensors of one shape on the device; to CUDA many go at once, before they are needed."""
    if device.type != "cuda":
        yield from (tensor.to(device) for tensor in tensors)
        return
    while block := [*islice(tensors, AHEAD)]:
        yield from sent(torch.stack(block), device)


@contextmanager
def meanwhile(
    stream: torch.cuda.Stream | None,
) -> Iterator[Callable[[torch.Tensor], torch.Tensor]]:
    """On CUDA what is computed within does not wait for what was asked for before, as training.

    A result is handed over, so that what comes after waits for it.
    """
    if stream is None:
        yield lambda tensor: tensor
        return
    outer = torch.cuda.current_stream(stream.device)

    def hand_over(tensor: torch.Tensor) -> torch.Tensor:
        outer.wait_stream(stream)
        tensor.record_stream(outer)
        return tensor

    with torch.cuda.stream(stream):
        yield hand_over


def peak_memory(device: torch.device) -> int:
    """Bytes: the allocator's peak on CUDA, elsewhere the process's largest resident set."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def reset_peak_memory(device: torch.device) -> None:
    """The next peak is that of what follows; on Linux and CUDA, elsewhere nothing resets it."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif CLEAR_REFS.exists():
        CLEAR_REFS.write_text("5")  # proc(5): resets the peak resident set


def bf16_slowdown(device: torch.device) -> float:
    """How many times longer a convolution takes in bf16 than in float32; below 1 it is faster."""
    images = torch.randn(4, 64, 16, 16, device=device).to(memory_format=torch.channels_last)
    weight = torch.randn(64, 64, 3, 3, device=device).to(memory_format=torch.channels_last)
    return _fastest(images.bfloat16(), weight.bfloat16()) / _fastest(images, weight)


def _fastest(images: torch.Tensor, weight: torch.Tensor) -> float:
    times = []
    for _ in range(4):
        started = time.perf_counter()
        torch.conv2d(images, weight, padding=1)
        synchronize(images.device)
        times.append(time.perf_counter() - started)
    return min(times)
