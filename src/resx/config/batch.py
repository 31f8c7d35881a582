"""Jobs of a batch system that are asked to leave: they save first, and are queued again."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from resx.interruption import CODES, received, was_received

Handler = Callable[[int, Any], Any]


def preemption_handler() -> Handler | None:
    """What the launcher of this process does when it is asked to leave; None if nothing.

    To be asked for before resx takes that signal for itself.
    """
    number = getattr(signal, "SIGUSR2", None)  # submitit's own choice, which a person can change
    handler = signal.getsignal(number) if number is not None else None
    return handler if callable(handler) else None


def leave(queue_again: Handler | None) -> None:
    """End a job that has saved because of a signal, and have it queued again where it should be.

    submitit's handler alone would queue it again in the middle of a step, with nothing saved; and
    Slurm takes a preempted job that ends within its grace time for one that is done. In other
    places than a batch system this returns.
    """
    on_slurm = os.environ.get("SUBMITIT_EXECUTOR") == "slurm"
    if queue_again and (was_received("SIGUSR2") or (on_slurm and is_preempted())):
        queue_again(signal.SIGUSR2, None)  # which ends this process
    if on_slurm:  # cancelled, or queued again by Slurm itself: no result that submitit would keep
        sys.stdout.flush()
        os._exit(CODES[received()])


def is_preempted() -> bool:
    """Whether Slurm ends this process's job in favour of another."""
    command = ["scontrol", "--oneliner", "show", "job", os.environ["SLURM_JOB_ID"]]
    done = subprocess.run(command, capture_output=True, text=True)
    return re.search(r"\bPreemptTime=\d", done.stdout) is not None
