"""One run from experiment to summary: resume or start, train, sum up."""

import logging
from collections.abc import Sequence
from typing import Any

from resx.config.schema import NetworkConfig, TrainConfig
from resx.config.settings import to_dict
from resx.data.dataset import Dataset
from resx.errors import RequestError
from resx.experiment import Experiment
from resx.interruption import stop_signals
from resx.models.building import compiled
from resx.store import checkpoint
from resx.store.files import CONFIG
from resx.store.run import Run
from resx.store.summary import Status, Summary
from resx.training.probes import Probe
from resx.training.resuming import go_on
from resx.training.schedule import snapshot_steps
from resx.training.snapshots import Snapshots
from resx.training.state import State
from resx.training.summarizing import concluded, describe, first_summary
from resx.training.tracking import Tracker
from resx.training.trainer import Trainer

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
    experiment: Experiment, run: Run, *, quiet: bool = False, probes: Sequence[Probe] = ()
) -> Summary:
    """Train what is missing of a locked run and return its summary.

    A final run is returned as it is, unless `force`. Raises KeyboardInterrupt, after a checkpoint,
    when a signal asked to stop, and `RequestError` if the directory holds another run's checkpoint.
    """
    config, network = experiment.config, experiment.network
    assert isinstance(config, TrainConfig)
    run.move_aside("not all in it are files", odd=True)
    if not config.force and (whole := mended(experiment, run)) is not None:
        return whole
    state = go_on(experiment, run)
    log.info("%s", describe(network, experiment.dataset))
    log.info("%s%s", run.directory, f": resumed after step {state.step}" if state.step else "")
    run.write_config(to_dict(config))
    summary = run.write_summary(first_summary(experiment, state, run.hash))
    snapshots = _snapshots(experiment, state, run)
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
    tracker = Tracker(run, state.step + 1, recipe.steps, recipe.batch_size, label, quiet)
    header = _header(config, dataset, run.hash)
    with stop_signals() as stopped:
        try:
            if state.step == 0:
                tracker.describe(_hparams(config))
            trainer = Trainer(
                state=state,
                forward=compiled(network, config.compile),
                dataset=dataset,
                recipe=recipe,
                seed=config.seed,
                precision=config.precision,
                tracker=tracker,
                save=lambda values: _save(run, header | {"state": values}),
                stop=stopped,
                probes=probes,
            )
            finished = trainer.fit()
        except FloatingPointError as error:
            log.warning("%s: diverged, %s", label, error)
            return Status.DIVERGED
        finally:
            tracker.close()
        if not finished:
            raise KeyboardInterrupt(stopped())
    return Status.FINISHED


def _save(run: Run, content: dict[str, Any]) -> None:
    run.flush_records()  # or a power cut could leave a checkpoint that counts records that are gone
    checkpoint.save(run.directory, content)


def _header(config: Any, dataset: Dataset, hash: str) -> dict[str, Any]:
    """What makes a checkpoint speak for itself."""
    return {
        "config": to_dict(config),
        "identity": hash,  # version 0.1's word
        "classes": dataset.classes,
        "mean": dataset.normalization.mean,
        "std": dataset.normalization.std,
    }


def _hparams(config: NetworkConfig) -> dict[str, Any]:
    """The settings that TensorBoard's HPARAMS tab shows: those that differ first, then by name.

    So names begin with what a setting is of: five columns are shown unless a person asks for more.
    """
    recipe, data = config.recipe, config.data
    options = {k: v for k, v in config.model.items() if k not in ("name", "_target_")}
    training = ("batch_size", "lr", "optimizer", "schedule", "steps", "warmup", "weight_decay")
    return (
        {"depth": config.depth, "model": config.model["name"], "residual": config.residual}
        | {"seed": config.seed, "training/data": data.name, "training/subset": data.subset}
        | {"training/precision": config.precision, "variant/block": config.block}
        | {f"training/{name}": getattr(recipe, name) for name in training}
        | {f"variant/{name}": value for name, value in options.items()}
    )
