"""What `precision=auto` becomes: bf16 where the device computes it natively, else fp32.

By what the processor says of itself, not by a timed step: the answer is part of which run a request
is, and must be the same tomorrow. torch is imported only where there may be a GPU.
"""

import os
from pathlib import Path

CPUINFO, GPU = Path("/proc/cpuinfo"), Path("/dev/nvidiactl")  # Linux
NATIVE = {"avx512_bf16", "amx_bf16"}
# Values of ONEDNN_MAX_CPU_ISA under which oneDNN has these instructions.
WITH_BF16 = {"ALL", "DEFAULT", "AVX512_CORE_BF16", "AVX512_CORE_FP16", "AVX10_1_512"}
WITH_BF16 |= {"AVX512_CORE_AMX", "AVX512_CORE_AMX_FP16", "AVX10_1_512_AMX", "AVX10_1_512_AMX_FP16"}


def automatic(device: str) -> str:
    """The precision of `auto` on `auto`, `cpu`, `cuda`, `cuda:1`, `mps`."""
    return "bf16" if has_native_bf16(device) else "fp32"


def has_native_bf16(device: str) -> bool:
    if device != "cpu" and (GPU.exists() or not CPUINFO.exists()):
        import torch

        if device.startswith("cuda") or (device == "auto" and torch.cuda.is_available()):
            available = torch.cuda.is_available()
            return available and torch.cuda.is_bf16_supported(including_emulation=False)
    return device in ("auto", "cpu") and _processor_has_bf16()


def _processor_has_bf16() -> bool:
    """Unless oneDNN or torch are told to do without."""
    if not CPUINFO.exists():
        return False
    lines = CPUINFO.read_text().splitlines()
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    allowed = os.environ.get("ONEDNN_MAX_CPU_ISA", "ALL").upper() in WITH_BF16
    allowed &= os.environ.get("ATEN_CPU_CAPABILITY", "avx512") not in ("default", "avx2")
    return allowed and not NATIVE.isdisjoint(flags)
