"""Which of the processes of one run this is, as torchrun says in the environment (torch-free)."""

import atexit
import os
import sys
import time
from typing import NamedTuple, NoReturn

from resx.interruption import received

PATIENCE = 20.0  # seconds until torchrun must have ended all processes after the first one's end


class Place(NamedTuple):
    rank: int = 0
    world: int = 1  # processes
    on_host: int = 0  # rank among the processes of this host


def place() -> Place:
    """The first of one, unless torchrun, or who sets the same variables, started more."""
    known = os.environ
    if "RANK" not in known or "WORLD_SIZE" not in known:
        return Place()
    rank = int(known["RANK"])
    return Place(rank, int(known["WORLD_SIZE"]), int(known.get("LOCAL_RANK", rank)))


def several() -> bool:
    return place().world > 1


def is_first() -> bool:
    """Whether this process is the one that writes."""
    return place().rank == 0


def speaks_of_its_end() -> bool:
    """Whether it is for this process to say why it ends: for the first, of what ends them all.

    The others wait for that: torchrun ends all processes as soon as one has ended, and must not
    before the first has said why. What has not ended it within PATIENCE is theirs to say.
    """
    return is_first() or not ended_by_another()


def ended_by_another() -> bool:
    """Whether torchrun asks this process to stop, now or within PATIENCE seconds."""
    until = time.monotonic() + PATIENCE
    try:
        while not received() and time.monotonic() < until:
            time.sleep(0.05)
    except KeyboardInterrupt:
        return True
    return bool(received())


def exit_process(code: int) -> NoReturn:
    """Ends this process; one of several without what Python does at its end.

    A thread of gloo may still hold the tensors of the last exchange, as DistributedDataParallel
    keeps the group alive beyond its end. A thread that lets go of one while Python ends is ended
    by Python, which aborts the process (torch 2.14; tests/training/last_exchange.py).
    """
    if not several():
        sys.exit(code)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
