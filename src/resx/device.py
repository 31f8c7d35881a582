"""The device and the arithmetic on it."""

import os
import resource
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch

from resx.errors import RequestError

CLEAR_REFS, CPUINFO = Path("/proc/self/clear_refs"), Path("/proc/cpuinfo")  # Linux
# Values of ONEDNN_MAX_CPU_ISA under which oneDNN computes bf16 natively where it can.
WITH_BF16 = {"ALL", "DEFAULT", "AVX512_CORE_BF16", "AVX512_CORE_FP16", "AVX10_1_512"}
WITH_BF16 |= {"AVX10_1_512_AMX", "AVX512_CORE_AMX", "AVX10_1_512_AMX_FP16", "AVX512_CORE_AMX_FP16"}


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


def reset_peak_memory(device: torch.device) -> None:
    """The next peak is that of what follows; on Linux and CUDA, elsewhere nothing resets it."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif CLEAR_REFS.exists():
        CLEAR_REFS.write_text("5")  # proc(5): resets the peak resident set


def has_native_bf16(device: torch.device) -> bool:
    """Whether bf16 products have instructions of their own there; emulated they are slower.

    By what the processor says, not by a timed step: the answer decides which run a request is.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and processor_has_bf16()


def processor_has_bf16() -> bool:
    """AVX512_BF16 or AMX (x86 on Linux), unless oneDNN or torch are told to do without."""
    if not CPUINFO.exists():
        return False
    lines = CPUINFO.read_text().splitlines()
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    capped = os.environ.get("ONEDNN_MAX_CPU_ISA", "ALL").upper() not in WITH_BF16
    capped |= os.environ.get("ATEN_CPU_CAPABILITY", "avx512") in ("default", "avx2")
    return not capped and not {"avx512_bf16", "amx_bf16"}.isdisjoint(flags)
