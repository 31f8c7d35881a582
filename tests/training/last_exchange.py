"""An end right after an exchange, while gloo's threads get no time to let go of its tensors."""

import os
from pathlib import Path

import torch
from torch import distributed, nn

from resx.distributed import joined, total
from resx.process import exit_process
from resx.training.averaging import averaging


def starve_gloo() -> None:
    """On one processor its threads run only while nothing else does."""
    one = {min(os.sched_getaffinity(0))}
    for task in Path("/proc/self/task").iterdir():
        os.sched_setaffinity(int(task.name), one)
        if "gloo_runloop" in (task / "comm").read_text():
            os.sched_setscheduler(int(task.name), os.SCHED_IDLE, os.sched_param(0))


if __name__ == "__main__":
    with joined("cpu"):
        forward = averaging(nn.Linear(3, 3))
        starve_gloo()
        total(torch.ones(3))
    assert not distributed.is_initialized()
    exit_process(0)
