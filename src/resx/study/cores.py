"""The cores that a study may use, and how its runs may share them."""

import os
from typing import NamedTuple

PROCESSES = "processes"  # the launcher that is ours: sweeps that share one list of jobs


class Way(NamedTuple):
    """Of using the cores: so many runs at work at once, with so many threads each."""

    jobs: int
    threads: int

    def __str__(self) -> str:
        count = f"{self.threads} threads" if self.threads > 1 else "1 thread"
        if self.jobs == 1:
            return f"one run after another with {count}"
        return f"{self.jobs} at once with {count} each"


def cores() -> int:
    """Those that this process may use, of which a container or `taskset` may leave a few."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def ways(available: int, most: int) -> list[Way]:
    """From all cores for one run after another to `most` runs side by side, by powers of two."""
    counts = {1, max(min(available, most), 1)}
    counts |= {2**n for n in range(available.bit_length()) if 2**n <= min(available, most)}
    return [Way(jobs, available // jobs) for jobs in sorted(counts)]
