"""What ends a command before its time: signals, a reader that leaves, a parent that is gone."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import BinaryIO

PARENT = "RESX_PARENT"  # the process to end with, for a command that another one starts
# As shells count them; SIGUSR2 is what a batch system sends before a job's time is over.
CODES = {"SIGHUP": 129, "SIGINT": 130, "SIGUSR2": 140, "SIGPIPE": 141, "SIGTERM": 143}
WATCHED = [getattr(signal, name) for name in CODES if name != "SIGPIPE" and hasattr(signal, name)]
LOOK = 0.5  # seconds between looks for the parent

_received: list[str] = []  # names of the signals since the command began
_levels = {"listening": 0, "saving": 0, "holding": 0}  # how many contexts of each kind are open


class Interrupted(KeyboardInterrupt):
    """Of a signal, whose name it has.

    A class of its own, as Python ends by SIGINT, whatever `main` returns, once a bare
    KeyboardInterrupt has gone through an `exec`, such as that which makes a dataclass.
    """


def received() -> str:
    """The name of the first signal that asked this command to stop, "" while none has."""
    return _received[0] if _received else ""


def was_received(name: str) -> bool:
    """Whether a signal of this name was one of those that asked to stop."""
    return name in _received


def ask_to_stop(name: str) -> None:
    """Raises KeyboardInterrupt, unless something is being saved first, or others are waited for.

    A second request is not waited for: it raises at once. But a batch system may send two.
    """
    _received.append(name)
    again = len([each for each in _received if each != "SIGUSR2"]) > 1
    if again or not (_levels["saving"] or _levels["holding"]):
        raise Interrupted(name)


def receive(number: int, frame: FrameType | None) -> None:
    ask_to_stop(signal.Signals(number).name)


@contextmanager
def listening(kind: str = "listening") -> Iterator[Callable[[], str]]:
    """SIGINT, SIGTERM and SIGHUP are noted, and raise KeyboardInterrupt with their name.

    Noted, as code that is interrupted may make another error of it, or swallow it.
    """
    outermost = not any(_levels.values())
    if outermost:
        _received.clear()
    main = threading.current_thread() is threading.main_thread()  # others cannot set handlers
    before = {number: signal.getsignal(number) for number in WATCHED} if main else {}
    for number, handler in before.items():
        if not (number.name == "SIGHUP" and handler == signal.SIG_IGN):  # as nohup wants it
            signal.signal(number, receive)
    _levels[kind] += 1
    try:
        yield received
    finally:
        _levels[kind] -= 1
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if outermost:
            _received.clear()


def stop_signals() -> AbstractContextManager[Callable[[], str]]:
    """While something is at work that saves itself when `received` says so: the first signal waits.

    Yields that function.
    """
    return listening("saving")


def holding() -> AbstractContextManager[Callable[[], str]]:
    """While other processes, which get the same signals, save what they do."""
    return listening("holding")


def discard_output() -> None:
    """The reader of standard output, such as `head`, has seen enough."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def own_output() -> BinaryIO:
    """Standard output for this process's answers alone; what libraries print goes to the errors."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def follow(parent: int) -> None:
    """End this process when `parent` is gone, even by SIGKILL; what is being saved is saved first.

    A thread that looks, as not every system can tell a process of its parent's death, and where
    one can (PR_SET_PDEATHSIG) it is the death of the thread that started it.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK)
        if not _levels["saving"]:
            os._exit(CODES["SIGTERM"])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="follow", daemon=True).start()
