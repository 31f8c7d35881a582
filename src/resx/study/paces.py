"""How fast networks were trained before, whatever study the runs belong to."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from resx.config.schema import TrainConfig
from resx.config.settings import to_dict
from resx.errors import RequestError
from resx.store.run import Run
from resx.store.summary import Status
from resx.study.grid import Job

LOOKED_AT = 20  # runs of each network, those that were changed last
# What a step's time depends on.
OF_NETWORK = (
    *("model", "depth", "residual", "block", "precision"),
    *("compile", "deterministic", "checkpoint_activations", "cuda_graphs"),
)
OF_DATA = ("image_size", "workers")
OF_RECIPE = ("batch_size", "micro_batch", "optimizer")


class Pace(NamedTuple):
    """Seconds a step, and on what they were measured, as a run's summary says."""

    step: float
    threads: int
    hardware: str
    capability: str
    device: str = "cpu"  # its type


def paces(jobs: Iterable[Job]) -> dict[str, Pace]:
    """By the kind of step: of the last finished runs in the folders that the jobs' runs lie in."""
    jobs = list(jobs)
    wanted = {kind_of(job.config) for job in jobs}
    found: dict[str, Pace] = {}
    for folder in dict.fromkeys(job.run.directory.parent for job in jobs):
        for run in latest(folder):
            if (known := _pace(run)) is not None and known[0] in wanted:
                found.setdefault(*known)
    return found


def latest(folder: Path) -> list[Run]:
    """Those that were changed last, the newest first."""
    places = folder.glob("*/") if folder.is_dir() else ()
    newest = sorted(places, key=lambda place: place.stat().st_mtime, reverse=True)
    return [Run(place) for place in newest[:LOOKED_AT]]


def _pace(run: Run) -> tuple[str, Pace] | None:
    """Of a finished run that can be read."""
    summary = run.summary
    if summary.status is not Status.FINISHED or not summary.step:
        return None
    if summary.environment.processes > 1:  # they shared the work
        return None
    try:
        kind = _kind(run.read_config())
    except RequestError:  # a damaged one teaches nothing; `train` names it
        return None
    here = summary.environment
    step = summary.seconds / summary.step
    device = summary.device.split(":")[0]
    return kind, Pace(step, here.threads, here.hardware, here.capability, device)


def kind_of(config: TrainConfig) -> str:
    """Equal for steps that take equally long."""
    return _kind(to_dict(config))


def _kind(config: Mapping[str, Any]) -> str:
    """Settings that version 0.1 did not know are as they then were: off."""
    parts: list[Any] = [config.get(name) or None for name in OF_NETWORK]
    parts += [config["data"].get(name) or None for name in OF_DATA]
    parts += [config["recipe"].get(name) or None for name in OF_RECIPE]
    return json.dumps(parts, sort_keys=True, default=str)
