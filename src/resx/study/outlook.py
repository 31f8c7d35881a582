"""What a study will take, asked of a process of its own: this one has no need of torch."""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from resx.config.composing import Typed
from resx.config.requests import StudyRequest
from resx.config.schema import TrainConfig
from resx.errors import RequestError
from resx.interruption import PARENT, follow, own_output
from resx.study.cores import Way
from resx.study.grid import Job
from resx.study.paces import Pace, paces
from resx.study.parallel import as_settings, asked_launcher, launcher_options, translated


class Asked(NamedTuple):
    """What a forecast is made of; `options` are the launcher's own, by name.

    `launcher`, `jobs` and `threads` are None where they are left to what is measured. `learned` is
    how fast the kinds of networks were before; `folders` are trusted `--config-dir`s.
    """

    configs: Sequence[TrainConfig]
    launcher: str | None
    options: Mapping[str, str]
    jobs: int | None = None
    threads: int | None = None
    learned: Mapping[str, Pace] = {}
    folders: Sequence[str] = ()


class Forecast(NamedTuple):
    """`seconds` of each run, in the order of the configurations, empty if they are not known.

    `line` says what all will take, `asks` what the launcher is to be asked for, as settings of
    Hydra; `way` is how the processes that are ours use the cores.
    """

    launcher: str
    seconds: list[float]
    line: str
    way: Way
    asks: tuple[str, ...] = ()


def outlook(
    request: StudyRequest,
    jobs: list[Job],
    missing: list[Job],
    typed: Typed,
    offline: bool = False,
) -> Forecast:
    """Of the `missing` jobs of a study. Raises `RequestError` as training them would.

    An `offline` look ahead fetches no images, and says so where they are not there.
    """
    configs = [job.config for job in missing]
    if offline:
        configs = [replace(c, data=replace(c.data, download=False)) for c in configs]
    launcher, options = asked_launcher(typed), launcher_options(typed.hydra)
    ours = translated(launcher, request)
    folders = typed.config_dirs if request.trust else ()
    parts = request.jobs, request.threads or typed_threads(), paces(jobs), folders
    try:
        foreseen = _answered(Asked(configs, launcher, ours | options, *parts))
    except RequestError as error:
        if not offline:
            raise
        return Forecast("basic", [], f"no prediction: {error}", Way(1, 1))
    return foreseen._replace(asks=(*as_settings(ours), *foreseen.asks))


def typed_threads() -> int | None:
    """What a person has told all programs."""
    said = os.environ.get("OMP_NUM_THREADS", "")
    return int(said) if said.isdecimal() and int(said) else None


def _answered(asked: Asked) -> Forecast:
    """By a process of its own, unless this one has torch already."""
    if "torch" in sys.modules:  # then it costs nothing here
        from resx.study.forecast import forecast

        return forecast(asked)
    done = subprocess.run(
        [sys.executable, "-m", "resx.study.outlook"],
        input=pickle.dumps((asked.folders, pickle.dumps(asked))),
        stdout=subprocess.PIPE,
        env=os.environ | {PARENT: str(os.getpid())},
        process_group=0,  # a signal of the terminal is for this process, which then ends that one
    )
    if done.returncode:
        why = signal.Signals(-done.returncode).name if done.returncode < 0 else done.returncode
        raise RequestError(f"the steps that a forecast needs ended with {why}")
    answer = pickle.loads(done.stdout)
    if isinstance(answer, Exception):
        raise answer
    assert isinstance(answer, Forecast)
    return answer


def main() -> None:
    """Answers one question on standard input; errors are answers, too."""
    follow(int(os.environ.pop(PARENT)))
    answers = own_output()
    folders, question = pickle.load(sys.stdin.buffer)
    sys.path += folders
    try:
        from resx.study.forecast import forecast

        answer = pickle.dumps(forecast(pickle.loads(question)))
    except Exception as error:
        answer = pickle.dumps(error)
    answers.write(answer)
    answers.flush()


if __name__ == "__main__":
    main()
