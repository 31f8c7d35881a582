"""The processes of one run as a group: its parts of a whole, and what they tell each other.

Without a group, as in every command but `resx train` under torchrun, there is one process, and
nothing here does anything.
"""

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from resx.device import pick_device
from resx.errors import RequestError
from resx.process import ended_by_another, place

Made = TypeVar("Made")

# For a process that is stuck, or a host that is gone without a word: torchrun notices others at
# once. Longer than a claim of another host is watched (`store.claim.STALE`).
TIMEOUT = timedelta(minutes=10)


class Part(NamedTuple):
    """Of a whole that so many processes share, in the order of their ranks."""

    rank: int = 0
    world: int = 1

    def of(self, count: int) -> slice:
        """Which of `count` things; the parts differ by one at most."""
        return slice(count * self.rank // self.world, count * (self.rank + 1) // self.world)


def part() -> Part:
    """This process's; the whole without a group."""
    return Part(dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else Part()


@contextmanager
def joined(device: str) -> Iterator[Part]:
    """Within, torchrun's processes are a group; all but the first report nothing but errors.

    NCCL carries what lies on CUDA devices, gloo the rest. Whoever has a group already keeps it.
    """
    made = not dist.is_initialized()
    before = logging.root.manager.disable
    if made:
        own = pick_device(device)
        if own.type == "cuda":
            torch.cuda.set_device(own)
        backend = "cpu:gloo,cuda:nccl" if own.type == "cuda" else "gloo"
        dist.init_process_group(backend, timeout=TIMEOUT)
    if place().rank:
        logging.disable(logging.WARNING)
    try:
        with ending_together():
            yield part()
        if made:
            dist.destroy_process_group()
    finally:
        logging.disable(before)


@contextmanager
def ending_together() -> Iterator[None]:
    """Raises KeyboardInterrupt for an error that only says that another process has ended.

    torchrun then asks this one to stop. An error of its own raises what it is.
    """
    try:
        yield
    except RuntimeError as error:  # as torch has them for a connection that is gone
        if part().world > 1 and ended_by_another():
            raise KeyboardInterrupt from error
        raise


def total(tensor: Tensor) -> Tensor:
    """The sum over all processes, in place."""
    if part().world > 1:
        dist.all_reduce(tensor)
    return tensor


def agreed(stopped: Callable[[], object]) -> Callable[[], object]:
    """Whether any process is asked to stop: the same answer for all, who ask equally often."""
    if part().world == 1:
        return stopped

    def any_stopped() -> bool:
        flag = torch.tensor([bool(stopped())], dtype=torch.uint8)
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag)

    return any_stopped


def from_first(make: Callable[[], Made]) -> Made:
    """What `make` returns on the first process, on all; so are its wrong requests."""
    if part().rank:
        return received_from_first()
    with telling() as tell:
        made = make()
        tell(made)
    return made


def received_from_first() -> Any:
    """Raises what kept the first process from telling."""
    box: list[Any] = [None]
    dist.broadcast_object_list(box)
    if isinstance(box[0], BaseException):
        raise box[0]
    return box[0]


@contextmanager
def telling() -> Iterator[Callable[[object], None]]:
    """Yields a function that tells the other processes one thing; if none is told, why not."""
    told = False

    def tell(thing: object) -> None:
        nonlocal told
        if part().world > 1 and not told:
            told = True
            dist.broadcast_object_list([thing])

    try:
        yield tell
    except (RequestError, KeyboardInterrupt) as error:
        tell(error)
        raise
    finally:
        tell(RequestError("the first process ended"))


def packed(state: dict[str, Any]) -> bytes:
    """Tensors and plain values, from whatever device, to be told."""
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


def unpacked(content: bytes) -> dict[str, Any]:
    """On the CPU."""
    found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    assert isinstance(found, dict)
    return found
