"""How many processes can work at once."""

import os


def cores() -> int:
    """Those that this process may use, of which a container or `taskset` may leave a few."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
