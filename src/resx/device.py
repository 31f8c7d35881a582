"""The device and the arithmetic on it."""

import os
import resource
import sys
from contextlib import AbstractContextManager, nullcontext

import torch

from resx.errors import RequestError


def pick_device(name: str) -> torch.device:
    """`auto` takes CUDA, then MPS, then the CPU. Raises `RequestError` for one that is absent."""
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
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
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise RequestError(f"device={name}: there are {torch.cuda.device_count()} CUDA devices")
    return device


def set_deterministic(enabled: bool) -> None:
    """Have torch refuse operations without a deterministic implementation."""
    if enabled:  # cuBLAS reads this when it starts
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
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


def peak_memory(device: torch.device) -> int:
    """Bytes: the allocator's peak on CUDA, elsewhere the process's largest resident set."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
