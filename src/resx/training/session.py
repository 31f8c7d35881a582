"""One run from experiment to summary: resume or start, train, sum up."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from resx.config.schema import TrainConfig
from resx.config.settings import to_dict
from resx.data.dataset import Dataset
from resx.distributed import agreed, ending_together
from resx.errors import RequestError
from resx.experiment import Experiment
from resx.interruption import stop_signals
from resx.models.building import compiled
from resx.store import checkpoint
from resx.store.files import CONFIG
from resx.store.run import Run
from resx.store.summary import Status, Summary
from resx.training.boards import open_board
from resx.training.probes import Probe
from resx.training.resuming import go_on
from resx.training.schedule import snapshot_steps
from resx.training.snapshots import Snapshots
from resx.training.state import State
from resx.training.summarizing import (
    concluded,
    describe,
    describe_micro_batches,
    first_summary,
)
from resx.training.tracking import Tracker
from resx.training.trainer import Trainer
from resx.training.update import may_be_recorded

log = logging.getLogger(__name__)


def refuse_other_images(dataset: Dataset, run: Run) -> None:
    """Raises `RequestError` if the run was made from images that differ from these."""
    if run.summary.data_fingerprint not in ("", dataset.fingerprint):
        raise RequestError(
            f"{run.directory} was trained on other images; data.name=NAME keeps the two apart,"
            " force=true replaces it"
        )


def refuse_large_batch(experiment: Experiment) -> None:
    """Raises `RequestError` for a batch that would have an image twice."""
    batch, images = experiment.config.recipe.batch_size, experiment.dataset.sizes["train"]
    if batch > images:
        raise RequestError(f"recipe.batch_size={batch}: more than the {images:,} training images")


def train_run(
    experiment: Experiment,
    run: Run,
    *,
    quiet: bool = False,
    probes: Sequence[Probe] = (),
    begin: Callable[[State], None] = lambda state: None,
) -> Summary:
    """Train what is missing of a locked run and return its summary.

    A final run is returned as it is, unless `force`. `begin` gets the state that training goes on
    from, before the first step. Raises KeyboardInterrupt, after a checkpoint,
    when a signal asked to stop, and `RequestError` if the directory holds another run's checkpoint.
    """
    config, network = experiment.config, experiment.network
    assert isinstance(config, TrainConfig)
    run.move_aside("not all in it are files", odd=True)
    if not config.force and (whole := mended(experiment, run)) is not None:
        return whole
    state = go_on(experiment, run)
    log.info("%s", describe(network, experiment.dataset))
    if config.recipe.micro_batch is not None:
        log.warning("%s", describe_micro_batches(network, config.recipe))
    log.info("%s%s", run.directory, f": resumed after step {state.step}" if state.step else "")
    run.write_config(to_dict(config))
    summary = run.write_summary(first_summary(experiment, state, run.hash))
    snapshots = _snapshots(experiment, state, run)
    begin(state)
    try:
        status = _train(experiment, state, run, quiet=quiet, probes=[*probes, *snapshots])
    except KeyboardInterrupt:
        run.write_summary(concluded(summary, state, Status.INTERRUPTED, experiment))
        raise
    return run.write_summary(concluded(summary, state, status, experiment))


def mended(experiment: Experiment, run: Run) -> Summary | None:
    """The summary of a run that is over; None if training has to look at what is there.

    A damaged configuration is written again: it is the one that was asked for.
    """
    summary, damage = run.assess()
    if summary.status.is_final and damage is not None and damage.path.name == CONFIG:
        log.warning("%s; written again", damage)
        run.write_config(to_dict(experiment.config))
        summary, damage = run.assess()
    return summary if summary.status.is_final and damage is None else None


def _snapshots(experiment: Experiment, state: State, run: Run) -> list[Snapshots]:
    """The probe that keeps weights, if any are to be kept; those of step 0 are kept at once."""
    recipe = experiment.config.recipe
    steps = snapshot_steps(recipe.snapshots, recipe.steps)
    if not steps:
        return []
    header = _header(experiment.config, experiment.dataset, run.hash)
    snapshots = Snapshots(run, header, steps)
    if state.step == 0:
        snapshots.keep(0, experiment.network)
    return [snapshots]


def _train(
    experiment: Experiment, state: State, run: Run, *, quiet: bool, probes: Sequence[Probe]
) -> Status:
    """Raises KeyboardInterrupt, after a checkpoint, when a signal asked to stop."""
    config, dataset, network = experiment.config, experiment.dataset, experiment.network
    recipe = config.recipe
    label = f"{network.title.split(' ')[0]} seed {config.seed}"
    board = open_board(experiment, state, run)
    tracker = Tracker(run, board, state.step + 1, recipe.steps, recipe.batch_size, label, quiet)
    header = _header(config, dataset, run.hash)
    status = Status.FAILED
    with stop_signals() as stopped:
        try:
            trainer = Trainer(
                state=state,
                forward=compiled(network, config.compile),
                dataset=dataset,
                recipe=recipe,
                seed=config.seed,
                precision=config.precision,
                tracker=tracker,
                save=lambda values: _save(run, header | {"state": values}),
                stop=agreed(stopped),
                probes=probes,
                graphs=may_be_recorded(config, network),
            )
            with ending_together():
                status = Status.FINISHED if trainer.fit() else Status.INTERRUPTED
        except FloatingPointError as error:
            log.warning("%s: diverged, %s", label, error)
            status = Status.DIVERGED
        except KeyboardInterrupt:  # another process of the run has ended
            status = Status.INTERRUPTED
            raise
        finally:
            tracker.close(status)
        if status is Status.INTERRUPTED:
            raise KeyboardInterrupt(stopped())
    return status


def _save(run: Run, content: dict[str, Any]) -> None:
    records = run.flush_records()  # first, or a power cut could leave a checkpoint of lost ones
    checkpoint.save(run.directory, content | {"records": records})


def _header(config: Any, dataset: Dataset, hash: str) -> dict[str, Any]:
    """What makes a checkpoint speak for itself."""
    return {
        "config": to_dict(config),
        "identity": hash,  # version 0.1's word
        "classes": dataset.classes,
        "mean": dataset.normalization.mean,
        "std": dataset.normalization.std,
    }
