"""A command of resx in a child of this process, which has everything imported: a case is cheap."""

import importlib
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, NoReturn

CPU_SECONDS = 60  # that a command may compute
SECONDS = 600.0  # that it may take in all, on a machine that others use; who waits for ever, hangs
MEMORY = 2 * 2**30  # bytes beyond what this process has


COMMANDS = ("train", "study", "report", "evaluate", "analyze")
IMPORTED: tuple[str, ...] = ("torch._dynamo", "torchvision", "scipy.stats")
IMPORTED += tuple(f"matplotlib.backends.backend_{name}" for name in ("agg", "pdf", "svg"))
IMPORTED += ("resx.analyses.responses", "resx.training.session", "resx.models.resnet")
IMPORTED += ("resx.config.job",)
IMPORTED += tuple(f"resx.commands.{name}" for name in COMMANDS)


class Outcome(NamedTuple):
    """`code` is negative for a signal; -9 also where the time was up."""

    code: int
    out: str
    err: str

    @property
    def is_proper(self) -> bool:
        """No traceback; what is refused is refused in one line."""
        if "Traceback" in self.out + self.err or self.code not in (0, 1, 2):
            return False
        return self.code != 2 or self.err.count("\n") == 1


def warm() -> None:
    """Import what the commands import, without any work that starts threads."""
    for name in IMPORTED:
        importlib.import_module(name)
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    importlib.import_module("resx.config.composing").compose()
    importlib.import_module("resx.data.digits").digits(None, 8, False, Path())


def resx(*arguments: str, place: Path, seconds: float = SECONDS) -> Outcome:
    """`resx ARGUMENTS...` as if typed in `place`."""
    return wait(start(*arguments, place=place), place, seconds)


def start(*arguments: str, place: Path) -> int:
    """The process id of the command."""
    pid = os.fork()
    if pid == 0:
        _run(arguments, place)
    return pid


def wait(pid: int, place: Path, seconds: float = SECONDS) -> Outcome:
    """Until it ends, or is ended."""
    ended, status, until = 0, 0, time.monotonic() + seconds
    while not ended:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended:
            if time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
                _, status = os.waitpid(pid, 0)
                break
            time.sleep(0.005)
    out, err = (_log(place, name).read_text(errors="replace") for name in ("out", "err"))
    return Outcome(os.waitstatus_to_exitcode(status), out, err)


def _log(place: Path, name: str) -> Path:
    return place.with_name(f"{place.name}.{name}")


def _run(arguments: tuple[str, ...], place: Path) -> NoReturn:
    """In the child; never returns."""
    code = 70
    try:
        os.setpgid(0, 0)
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        for stream, name in ((sys.stdout, "out"), (sys.stderr, "err")):
            file = os.open(_log(place, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, stream.fileno())
        os.chdir(place)
        code = _main(arguments)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _main(arguments: tuple[str, ...]) -> int:
    from resx import cli

    run: Callable[[], int] = cli.main
    sys.argv = ["resx", *arguments]
    try:
        return run()
    except BaseException:  # as Python itself would say it
        sys.excepthook(*sys.exc_info())
        return 1
