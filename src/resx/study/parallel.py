"""How many runs of a study are at work at once, by launcher, and with how many threads each."""

from collections.abc import Iterable, Mapping

from resx.config.composing import Typed
from resx.config.requests import StudyRequest
from resx.errors import RequestError
from resx.study.cores import PROCESSES, cores
from resx.study.slurm import SLURM, number, places

# These start a process for each run; all others go on with the one that has imported torch.
FRESH = (SLURM, "submitit_local")
SHARING = (PROCESSES, "joblib", "submitit_local")  # this machine, and so its one GPU
RAY_CPUS = "ray.remote.num_cpus"
# What `jobs` and `threads` are to launchers that have settings of their own for them.
JOBS = {"joblib": "n_jobs", SLURM: "array_parallelism"}
THREADS = {SLURM: "cpus_per_task", "ray": RAY_CPUS}


def asked_launcher(typed: Typed) -> str | None:
    """The one that was typed; without, processes of ours share the cores as it pays."""
    chosen = [line for line in typed.hydra if line.startswith("hydra/launcher=")]
    return chosen[-1].split("=")[1] if chosen else None


def translated(launcher: str | None, request: StudyRequest) -> dict[str, str]:
    """`jobs` and `threads` as options of a launcher that has such.

    Raises `RequestError` for jobs beside one that decides that itself.
    """
    if launcher in (None, "basic"):
        if launcher and (request.jobs or 1) > 1:
            raise RequestError(f"jobs={request.jobs}: hydra/launcher=basic does one after another")
        return {}
    found = {}
    if request.jobs is not None:
        if launcher not in JOBS:
            raise RequestError(
                f"jobs={request.jobs}: beside hydra/launcher={launcher}, which has its own settings"
            )
        found[JOBS[launcher]] = str(request.jobs)
    if request.threads is not None and launcher in THREADS:
        found[THREADS[launcher]] = str(request.threads)
    return found


def as_settings(options: Mapping[str, str]) -> tuple[str, ...]:
    """Options of a launcher as Hydra takes them."""
    return tuple(f"hydra.launcher.{name}={value}" for name, value in options.items())


def is_free_joblib(launcher: str | None, options: Mapping[str, str]) -> bool:
    """Whether joblib may have as many processes as pay, as ours."""
    return launcher == "joblib" and "n_jobs" not in options


def launcher_options(lines: Iterable[str]) -> dict[str, str]:
    """Those that are the launcher's own: `hydra.launcher.n_jobs=2` -> `n_jobs`: `2`."""
    prefix = "hydra.launcher."
    parts = (line.lstrip("+").partition("=") for line in lines)
    return {name.removeprefix(prefix): x for name, _, x in parts if name.startswith(prefix)}


def parallelism(launcher: str, options: Mapping[str, str], runs: int) -> int:
    """How many of so many runs work at the same time with a launcher that is not ours.

    submitit_local starts them all, and they share the cores. Of a Ray that is running already
    (`ray.init.address`) only as many are counted as this machine has cores.
    """
    count = 1
    if launcher == "submitit_local":
        count = cores()
    elif launcher == "joblib":
        count = int(number(options, "n_jobs", -1))
        count = count if count > 0 else max(cores() + 1 + count, 1)  # -1: all, -2: all but one
    elif launcher == "ray":
        each = number(options, RAY_CPUS, 1)
        count = int(number(options, "ray.init.num_cpus", cores()) / each) if each > 0 else runs
    elif launcher == SLURM:
        count = places(options)
    return max(min(count, runs), 1)


def threads_of(launcher: str, options: Mapping[str, str], asked: int | None = None) -> int:
    """Of each run with a launcher that is not ours; as `asked` where it has no option for it."""
    if launcher not in THREADS:
        return asked or 1
    return max(int(number(options, THREADS[launcher], 1)), 1)
