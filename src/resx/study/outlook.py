"""What a study will take, asked of a process of its own: this one has no need of torch."""

import pickle
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from statistics import fmean
from typing import NamedTuple

from resx.config.composing import Typed
from resx.config.requests import StudyRequest
from resx.config.schema import TrainConfig
from resx.errors import RequestError
from resx.store.summary import Status
from resx.study.cores import cores
from resx.study.grid import Job

TINY_IMAGE = 16  # pixels; up to it a network keeps less than one core busy


class Forecast(NamedTuple):
    """`seconds` of each run, in the order of the configurations; `line` says what all will take."""

    launcher: str
    seconds: list[float]
    line: str


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
        try:
            return _asked(request, jobs, configs, typed)
        except RequestError as error:
            return Forecast("basic", [], f"no prediction: {error}")
    return _asked(request, jobs, configs, typed)


def _asked(
    request: StudyRequest, jobs: list[Job], configs: list[TrainConfig], typed: Typed
) -> Forecast:
    """Of a process of its own, unless this one has torch already."""
    asked = configs, asked_launcher(request, jobs, typed), durations(jobs)
    if "torch" in sys.modules:  # then it costs nothing here
        from resx.study.forecast import forecast

        return forecast(*asked)
    done = subprocess.run(
        [sys.executable, "-m", "resx.study.outlook"],
        input=pickle.dumps((typed.config_dirs if request.trust else (), asked)),
        stdout=subprocess.PIPE,
        process_group=0,  # a signal of the terminal is for this process, which then ends that one
        check=True,
    )
    answer = pickle.loads(done.stdout)
    if isinstance(answer, Exception):
        raise answer
    assert isinstance(answer, Forecast)
    return answer


def asked_launcher(request: StudyRequest, jobs: list[Job], typed: Typed) -> str | None:
    """The one that was typed; None leaves it to whether there is an accelerator."""
    chosen = [line for line in typed.hydra if line.startswith("hydra/launcher=")]
    if chosen:
        return chosen[-1].split("=")[1]
    return None if may_be_parallel(request, jobs) else "basic"


def may_be_parallel(request: StudyRequest, jobs: list[Job]) -> bool:
    """Whether processes of one thread each would pay on the CPU: tiny images on several cores."""
    tiny = all(job.config.data.image_size <= TINY_IMAGE for job in jobs)
    return tiny and len(jobs) > 1 and cores() > 1 and request.device in ("cpu", "auto")


def durations(jobs: list[Job]) -> dict[str, float]:
    """Mean seconds of the finished runs of a study, by the kind of network."""
    seconds = defaultdict(list)
    for job in jobs:
        summary = job.run.summary
        if summary.status is Status.FINISHED:
            seconds[kind_of(job.config)].append(summary.seconds)
    return {kind: fmean(values) for kind, values in seconds.items()}


def kind_of(config: TrainConfig) -> str:
    """What a run's time depends on."""
    parts = (config.model, config.depth, config.residual, config.block, config.precision)
    return repr((*parts, config.device, config.data, config.recipe))


def main() -> None:
    """Answers one question on standard input; errors are answers, too."""
    folders, asked = pickle.load(sys.stdin.buffer)
    sys.path += folders
    try:
        from resx.study.forecast import forecast

        answer = pickle.dumps(forecast(*asked))
    except Exception as error:
        answer = pickle.dumps(error)
    sys.stdout.buffer.write(answer)


if __name__ == "__main__":
    main()
