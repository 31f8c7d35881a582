"""Where a result was made: versions, hardware, commit."""

import platform
import subprocess
from functools import cache
from pathlib import Path

import torch

from resx import __version__
from resx.distributed import part
from resx.store.summary import Environment


@cache
def environment() -> Environment:
    """Of this process, as it is when first asked for."""
    cuda = torch.cuda.is_available()
    return Environment(
        resx=__version__,
        python=platform.python_version(),
        torch=torch.__version__,
        threads=torch.get_num_threads(),
        processes=part().world,
        capability=torch.backends.cpu.get_cpu_capability(),
        hardware=torch.cuda.get_device_name() if cuda else _processor(),
        git_commit=_git_commit(),
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [x for x in info.read_text().splitlines() if x.startswith("model name")]
        if names:
            return names[0].split(":")[1].strip()
    return platform.processor() or platform.machine()


def _git_commit() -> str | None:
    """The commit of the checkout that this code lies in; None for an installed wheel."""
    here = Path(__file__).parent
    command = ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=40"]
    if not (here.parents[1] / ".git").exists():
        return None
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):  # no git here, or a slow disk
        return None
    return done.stdout.strip() or None
