"""One run from configuration to summary: prepare, resume or start, train, sum up."""

import logging
import time
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tqdm.contrib.logging import logging_redirect_tqdm

from resx.config.run_hash import identity
from resx.config.schema import TrainConfig
from resx.config.settings import plain
from resx.data.dataset import Dataset
from resx.data.loading import load_dataset
from resx.device import environment, peak_memory, pick_device, set_deterministic
from resx.errors import RequestError
from resx.models.building import build_network, compiled
from resx.models.parts.complexity import flops, parameters
from resx.models.parts.layers import Network
from resx.reference import parameter_counts
from resx.store import checkpoint
from resx.store.run import Run
from resx.training.interruption import stop_signals
from resx.training.state import State
from resx.training.tracking import Tracker
from resx.training.trainer import Trainer

log = logging.getLogger(__name__)


class Prepared(NamedTuple):
    device: torch.device
    dataset: Dataset
    network: Network


def prepare(config: TrainConfig) -> Prepared:
    """Everything that can show a request to be wrong, before anything is written."""
    device = pick_device(config.device)
    set_deterministic(config.deterministic)
    if config.data.classes is not None:  # before images are read, which may take minutes
        shape = (config.data.classes, config.data.channels, config.data.image_size)
        build_network(config, *shape, torch.device("meta"))
    cache = Path(config.outputs, "cache")
    dataset = load_dataset(config.data, device, cache, config.trust)
    network = build_network(
        config, len(dataset.classes), dataset.channels, dataset.image_size, device
    )
    return Prepared(device, dataset, network)


def refuse_other_images(dataset: Dataset, run: Run) -> None:
    """Raises `RequestError` if the run was made from images that differ from these."""
    if run.read_summary().get("data_fingerprint", dataset.fingerprint) != dataset.fingerprint:
        raise RequestError(
            f"{run.directory} was trained on other images; data.name=NAME keeps the two apart,"
            " force=true replaces it"
        )


def train_run(prepared: Prepared, config: TrainConfig, run: Run, quiet: bool) -> dict[str, Any]:
    """Train what is missing of a locked run and return its summary.

    A final run is returned as it is, unless `force`. Raises KeyboardInterrupt, after a checkpoint,
    when a signal asked to stop.
    """
    device, dataset, network = prepared
    if run.is_final() and not config.force:
        return run.read_summary()
    state = State.start(network, config.recipe, config.depth)
    saved = None if config.force else checkpoint.load_newest(run.directory)
    if saved is not None and saved.get("identity") != identity(config):
        raise RequestError(
            f"{run.directory}: its checkpoint is of another run; force=true starts anew"
        )
    if saved is None:
        run.clear()
    else:
        state.load_state_dict(saved["state"])
    log.info("%s", describe(network, dataset))
    log.info("%s%s", run.directory, f": resumed after step {state.step}" if saved else "")
    run.write_config(plain(config))
    run.write_summary(**facts(prepared, config), status="running", failure=None)
    status = _train(state, prepared, config, run, quiet)
    return run.write_summary(**results(state, config, device, status))


def _train(state: State, prepared: Prepared, config: TrainConfig, run: Run, quiet: bool) -> str:
    device, dataset, network = prepared
    recipe = config.recipe
    label = f"{network.title.split(' ')[0]} seed {config.seed}"
    tracker = Tracker(run, state.step + 1, recipe.steps, recipe.batch_size, label, quiet)
    header = _header(config, dataset)

    def save(values: dict[str, Any]) -> None:
        checkpoint.save(run.directory, header | {"state": values})

    with stop_signals() as stopped, logging_redirect_tqdm():
        try:
            if state.step == 0:
                tracker.describe(_hparams(config))
            forward = compiled(network, config.compile)
            trainer = Trainer(
                state,
                forward,
                dataset,
                recipe,
                config.seed,
                config.precision,
                tracker,
                save,
                stopped,
            )
            finished = trainer.fit()
        except FloatingPointError as error:
            log.warning("%s: diverged, %s", label, error)
            return "diverged"
        finally:
            tracker.close()
        if not finished:
            run.write_summary(**results(state, config, device, "interrupted"))
            raise KeyboardInterrupt(stopped())
    return "finished"


def _header(config: TrainConfig, dataset: Dataset) -> dict[str, Any]:
    """What makes a checkpoint speak for itself."""
    return {
        "config": plain(config),
        "identity": identity(config),
        "classes": dataset.classes,
        "mean": dataset.normalization.mean,
        "std": dataset.normalization.std,
    }


def describe(network: Network, dataset: Dataset) -> str:
    """Which net was built, its size, and whether that is the published one."""
    count = parameters(network)
    published = parameter_counts().get((network.title, len(dataset.classes)))
    if published is None or dataset.channels != 3:
        verdict = "no published count for this variant"
    elif published.parameters == count:
        verdict = f"as published: {published.source}"
    else:
        verdict = f"published: {published.parameters:,} ({published.source})"
    return f"{network.title}: {count:,} parameters ({verdict})"


def facts(prepared: Prepared, config: TrainConfig) -> dict[str, Any]:
    """What is known before training."""
    device, dataset, network = prepared
    mean, std = dataset.normalization
    return {
        "network": network.title,
        "model": config.model["name"],
        "depth": config.depth,
        "residual": config.residual,
        "seed": config.seed,
        "hash": identity(config),
        "recipe": config.recipe.name,
        "steps": config.recipe.steps,
        "parameters": parameters(network),
        "flops": flops(network, dataset.channels, dataset.image_size),
        "data": config.data.name,
        "data_root": config.data.root,
        "data_fingerprint": dataset.fingerprint,
        "images": dataset.sizes,
        "normalization": {
            "mean": (mean.mean((0, 1)) if mean.ndim == 3 else mean).tolist(),
            "std": std.tolist(),
        },
        "device": str(device),
        "precision": config.precision,
        "environment": environment(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def results(state: State, config: TrainConfig, device: torch.device, status: str) -> dict[str, Any]:
    """What is known after training; `final` is empty unless the run reached its last step."""
    images = state.step * config.recipe.batch_size
    return {
        "status": status,
        "step": state.step,
        "final": state.scores if status == "finished" else {},
        "last": state.scores,
        "warmup_end": state.warmup_end,
        "seconds": round(state.seconds, 3),
        "images_per_second": round(images / state.seconds, 1) if state.seconds else 0.0,
        "peak_memory": peak_memory(device),
        "ended": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def _hparams(config: TrainConfig) -> dict[str, Any]:
    values = plain(config)
    recipe = {f"recipe/{k}": v for k, v in values["recipe"].items()}
    names = ("depth", "residual", "block", "seed", "precision")
    return {name: values[name] for name in names} | {"data": config.data.name} | recipe
