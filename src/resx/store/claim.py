"""Who trains a run on a disk that several hosts share, where file locks may not reach.

A lock tells the processes of one host apart and ends with its owner; other hosts may not see it. So
an owner also keeps a file that says who it is, and renews it every `BEAT` seconds. A claim of
another host that stays as it is for `STALE` seconds of the watcher's own clock belongs to nobody:
clocks that disagree do no harm. An owner that was only frozen finds another's claim when it wakes,
or none if that one has ended, and writes nothing more.
"""

import errno
import json
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from resx.config.typed import typed
from resx.errors import BusyError
from resx.store.writing import replace_text

BEAT, STALE = 20.0, 300.0  # seconds
WATCH = 0.2  # seconds between two looks at a claim of another host
LOOKS = 25  # at a claim that a disk does not show for a moment
# Of a network disk, such as when the file is replaced at this moment, or of a system at its limits.
PASSING = (errno.ESTALE, errno.EIO, errno.ETIMEDOUT, errno.EAGAIN, errno.EMFILE, errno.ENFILE)

log = logging.getLogger(__name__)


def _host() -> str:
    """Of this boot: after another one the processes of before are gone."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    return f"{socket.gethostname()} {boot.read_text().strip()[:8] if boot.exists() else ''}".strip()


HOST = _host()


@dataclass(frozen=True)
class Claim:
    """`beat` is on the owner's clock since its boot, and so means something on its host alone."""

    host: str = ""
    pid: int = 0
    token: str = ""
    beat: float = 0.0

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host.split()[0]}"


_seen: dict[Path, tuple[Claim, float]] = {}  # since when a claim has been as it is


def read(path: Path) -> Claim | None:
    """None if there is no claim, or a damaged one, which nobody keeps alive.

    Raises OSError if the disk does not answer for longer than a moment.
    """
    for _ in range(LOOKS):
        try:
            found: Claim = typed(json.loads(path.read_bytes()), Claim, "claim")
            break
        except (ValueError, RecursionError):
            return None
        except OSError as error:
            if error.errno not in PASSING:
                return None
            passing = error
            time.sleep(WATCH)
    else:
        raise passing
    return found if found.host and found.token else None


def is_stale(path: Path) -> bool:
    """Whether the owner has given no sign of life for too long; no claim at all is no owner's."""
    found = read(path)
    if found is None:
        return True
    if found.host == HOST:
        return time.monotonic() - found.beat > STALE
    before, since = _seen.get(path, (None, 0.0))
    if found != before:
        _seen[path] = found, (since := time.monotonic())
    return time.monotonic() - since > STALE


def refuse_alive(path: Path) -> None:
    """Raises `BusyError` if another host's process keeps its claim alive; waits until that is told.

    For the holder of the lock, so that a claim of this host is that of a process that is gone.
    """
    found = read(path)
    if found is None or found.host == HOST:
        return
    log.info("%s: claimed by %s; watching for a sign of life", path.parent, found)
    while not is_stale(path):
        time.sleep(WATCH)
        if (now := read(path)) != found:
            if now is None:
                return
            raise BusyError(f"{path.parent} is being trained by {now}")


class Owner:
    """Renews a claim in a thread of its own."""

    def __init__(self, path: Path) -> None:
        self.path, self.token = path, secrets.token_hex(8)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)

    def start(self) -> None:
        self._write()
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()
        found = read(self.path)
        if found is not None and found.token == self.token:
            self.path.unlink(missing_ok=True)

    def _renew(self) -> None:
        while not self._ended.wait(BEAT):
            try:
                refuse_lost(self)
                self._write()
            except (BusyError, OSError) as error:
                log.warning("%s: no sign of life: %s", self.path, error)
                if isinstance(error, BusyError):
                    return

    def _write(self) -> None:
        claim = Claim(HOST, os.getpid(), self.token, time.monotonic())
        replace_text(self.path, json.dumps(asdict(claim)) + "\n")


def refuse_lost(owner: Owner | None) -> None:
    """Raises `BusyError` if another process has taken the run over; asked before each write.

    Whoever took it over may have ended since, and left no claim. None is who does not own the run.
    """
    if owner is None:
        return
    found = read(owner.path)
    if found is None or found.token != owner.token:
        by = found or "another process, which has ended"
        raise BusyError(
            f"{owner.path.parent} was taken over by {by}, as this process gave no sign of life"
            f" for {STALE:.0f} s"
        )


@contextmanager
def claimed(path: Path) -> Iterator[Owner]:
    owner = Owner(path)
    owner.start()
    try:
        yield owner
    finally:
        owner.end()
