"""Refusing what cannot fit into memory before the work begins, with the estimate."""

import os
from pathlib import Path

import torch

MEMINFO = Path("/proc/meminfo")  # Linux
CGROUP = Path("/sys/fs/cgroup")  # a container's own limit (cgroup v2)


def refuse_too_large(needed: float, device: torch.device, what: str) -> None:
    """Raises `ValueError` if `needed` bytes are more than there are, naming both.

        refuse_too_large(4 * points**2, e.device, f"points={points}: a grid")

    An analysis calls it with its own estimate, before anything that takes long.
    """
    available = available_memory(device)
    if needed > available:
        raise ValueError(
            f"{what} needs about {_gigabytes(needed)}, and {_gigabytes(available)} are available"
            f" on {device}"
        )


def available_memory(device: torch.device) -> int:
    """Bytes that can still be used: of a CUDA device its free memory, else that of the machine.

    On Linux the kernel's own estimate (MemAvailable), or what a container may still take if that is
    less; elsewhere the size of the memory, of which no more is known without another package.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return int(min(_of_machine(), _of_container()))


def _of_machine() -> int:
    if MEMINFO.is_file():
        for line in MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024  # kB
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _of_container() -> float:
    limit, used = CGROUP / "memory.max", CGROUP / "memory.current"
    try:
        return int(limit.read_text()) - int(used.read_text())
    except (OSError, ValueError):  # no container, or one without a limit (`max`)
        return float("inf")


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB"
