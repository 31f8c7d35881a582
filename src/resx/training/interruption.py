"""Ctrl-C and SIGTERM end a run after the step at hand."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_signals() -> Iterator[Callable[[], str]]:
    """Yields a function: the name of the signal that asked to stop, "" while none has.

    A second signal is not waited for: it raises KeyboardInterrupt at once.
    """
    received: list[str] = []

    def receive(number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if received:
            raise KeyboardInterrupt(name)
        received.append(name)

    watched = (signal.SIGINT, signal.SIGTERM)
    main = threading.current_thread() is threading.main_thread()  # others cannot set handlers
    before = {number: signal.signal(number, receive) for number in watched} if main else {}
    try:
        yield lambda: received[0] if received else ""
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
