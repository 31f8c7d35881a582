"""How much memory there is, and how much of it is free."""

import os
from pathlib import Path

import torch

MEMINFO = Path("/proc/meminfo")  # Linux
CGROUP = Path("/sys/fs/cgroup")  # a container's own limit (cgroup v2)


def available_memory(device: torch.device) -> int:
    """Bytes that can still be used: of a CUDA device its free memory, else that of the machine.

    On Linux the kernel's own estimate (MemAvailable), or what a container may still take if that is
    less; elsewhere the size of the memory, of which no more is known without another package.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return int(min(_of_machine("MemAvailable"), _limit() - _used()))


def total_memory(device: torch.device) -> int:
    """Bytes that there are, used or free: of a CUDA device, else of the machine or container."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[1]
    return int(min(_of_machine("MemTotal"), _limit()))


def gigabytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB"


def _of_machine(entry: str) -> int:
    if MEMINFO.is_file():
        for line in MEMINFO.read_text().splitlines():
            if line.startswith(f"{entry}:"):
                return int(line.split()[1]) * 1024  # kB
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _limit() -> float:
    """Infinite where there is no container, or one without a limit (`max`)."""
    return _read("memory.max", float("inf"))


def _used() -> float:
    return _read("memory.current", 0.0)


def _read(name: str, otherwise: float) -> float:
    try:
        return int((CGROUP / name).read_text())
    except (OSError, ValueError):
        return otherwise
