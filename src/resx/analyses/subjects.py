"""What an analysis looks at, before it is built: runs, their snapshots, files, fresh networks."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from resx.analyses.parts.memory import BYTES, refuse_too_large
from resx.analyses.parts.words import kind_of
from resx.config.run_hash import run_hash
from resx.config.schema import NetworkConfig
from resx.data.dataset import Dataset
from resx.errors import RequestError
from resx.experiment import (
    Experiment,
    StoredRun,
    prepare,
    with_foreign_weights,
    with_weights,
)
from resx.models.parts.complexity import parameters
from resx.models.parts.foreign import as_foreign


@dataclass(frozen=True)
class Subject:
    """A network to be looked at; `key` tells its weights and images from all others.

    `load` builds it, around images that were loaded before for the same settings, or None.
    """

    config: NetworkConfig
    key: tuple[Any, ...]
    load: Callable[[Dataset | None], Experiment]


def of_run(
    run: StoredRun,
    snapshots: bool,
    device: str,
    trust: Iterable[str],
    weights: bool = True,
    **changes: Any,
) -> list[Subject]:
    """Its newest weights, all that it kept along training, or none for an analysis of records.

    Raises `RequestError` for a run without a checkpoint or without snapshots.
    """
    summary, config = run.summary, run.config
    load = partial(_load_run, run, device, tuple(trust), changes, weights)
    known = ("run", summary.hash or run.hash, summary.started, config.data.root, changes)
    if not weights:
        return [Subject(config, (*known, summary.step), partial(load, None))]
    if snapshots:
        steps = list(run.snapshots())
        if not steps:
            raise RequestError(
                f"{run.directory}: the run kept no snapshots; recipe.snapshots=8 keeps some while"
                " it trains"
            )
        return [Subject(config, (*known, step), partial(load, step)) for step in steps]
    final = summary.status.is_final and run.has_checkpoint()
    step = summary.step if final else run.checkpoint()["state"]["step"]
    return [Subject(config, (*known, step), partial(load, None))]


def _load_run(
    run: StoredRun,
    device: str,
    trust: Sequence[str],
    changes: dict[str, Any],
    weights: bool,
    step: int | None,
    dataset: Dataset | None,
) -> Experiment:
    return run.experiment(device, trust, step=step, weights=weights, dataset=dataset, **changes)


def of_network(config: NetworkConfig) -> Subject:
    """A network at initialisation."""
    key = ("fresh", run_hash(config), config.data.root)
    return Subject(config, key, lambda dataset: prepare(config, dataset))


def of_file(path: Path, saved: dict[str, Any], config: NetworkConfig, naming: str) -> Subject:
    """The loaded weights of a file: of some project's names for the network of `config`."""
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    key = ("file", content, run_hash(config), config.data.root, naming)
    config, naming = as_foreign(config, saved, naming)

    def load(dataset: Dataset | None) -> Experiment:
        return with_foreign_weights(config, saved, naming, dataset)[0]

    return Subject(config, key, load)


def of_checkpoint(path: Path, saved: dict[str, Any], config: NetworkConfig) -> Subject:
    """The loaded weights of a checkpoint or snapshot of resx, with its own configuration."""
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    key = ("checkpoint", content, config.data.root)
    return Subject(config, key, lambda dataset: with_weights(config, saved, dataset))


def build_all(subjects: Sequence[Subject]) -> list[Experiment]:
    """All networks; images are loaded once for all that are of the same.

    Raises `RequestError` if the networks that are left to build will not fit into memory, and for
    weights that are not finite: of these nothing can be said.
    """
    datasets: dict[str, Dataset] = {}
    experiments: list[Experiment] = []
    for left, subject in zip(range(len(subjects), 0, -1), subjects):
        images = repr((subject.config.data, subject.config.device))
        experiment = subject.load(datasets.get(images))
        datasets.setdefault(images, experiment.dataset)
        size = BYTES * parameters(experiment.network)
        what = f"{left} networks of the size of {experiment.network.title}: this"
        try:
            refuse_too_large((left - 1) * size, experiment.device, what)
        except ValueError as error:
            raise RequestError(str(error)) from error
        refuse_not_finite(experiment)
        experiments.append(experiment)
    return experiments


def refuse_not_finite(experiment: Experiment) -> None:
    """Raises `RequestError`, naming the network, for weights or averages that are not finite."""
    for name, value in experiment.network.state_dict().items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            run = f"{experiment.run.directory}: " if experiment.run else ""
            raise RequestError(
                f"{run}{name} of {experiment.network.title}, seed {experiment.config.seed}, has"
                f" numbers that are not finite at step {experiment.step}: the run diverged, or the"
                " file is damaged"
            )


def without_twin(experiments: Iterable[Experiment]) -> list[str]:
    """Networks of which there is no plain, or no residual, twin among the others, in words.

    A network without any shortcut is plain, whichever setting took them away.
    """
    kinds: dict[tuple[Any, ...], set[bool]] = {}
    for experiment in experiments:
        config = experiment.config
        residual = any(hasattr(block, "shortcut") for _, block in experiment.network.blocks())
        place = (config.data.name, config.model.get("name"), config.depth)
        kinds.setdefault(place, set()).add(residual)
    return [
        f"no {kind_of(found == {False})} twin of {'plain ' * (found == {False})}{model}-{depth}"
        for (_, model, depth), found in kinds.items()
        if len(found) == 1
    ]
