"""Which experiment tracker a run is shown by, and what that is told of it."""

import os
import platform
import time
from dataclasses import asdict
from typing import Any

from resx.config.schema import NetworkConfig, TrainConfig
from resx.config.settings import flattened
from resx.environment import environment
from resx.experiment import Experiment
from resx.store.run import Run
from resx.store.store import Store
from resx.training.event_files import EventFiles
from resx.training.state import State
from resx.training.tracking import Board

# Unless a person says otherwise: no reports to MLflow's makers, no lines but ours, and an answer
# within seconds whether a server is there (its own client tries for minutes).
MLFLOW_MANNERS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}


def open_board(experiment: Experiment, state: State, run: Run) -> Board:
    """Of the tracker that was asked for; `state` is what training goes on from."""
    config = experiment.config
    assert isinstance(config, TrainConfig)
    if config.tracker == "tensorboard":
        return EventFiles(run.directory, state.step + 1, hparams(config))
    for name, value in MLFLOW_MANNERS.items():
        os.environ.setdefault(name, value)
    from resx.training.mlflow_run import Described, MlflowRun  # imports an optional package, 1 s

    described = Described(
        place=os.environ.get("MLFLOW_TRACKING_URI") or Store(config.outputs).mlflow_uri,
        experiment=os.environ.get("MLFLOW_EXPERIMENT_NAME") or group(config),
        name=f"{run.directory.parent.name} {run.directory.name}",
        params={k: str(v) for k, v in parameters(config).items()},
        tags={k: str(v) for k, v in tags(experiment, run).items() if v is not None},
    )
    return MlflowRun(run, described, time.time() - state.seconds, anew=config.force)


def group(config: TrainConfig) -> str:
    """What the runs of one sweep share: the study's name, else that of the recipe or experiment."""
    return config.study.name if config.study is not None else config.recipe.name


def parameters(config: TrainConfig) -> dict[str, Any]:
    """The settings as they are typed, without the study's question and grid."""
    settings = flattened(config)
    return {k: v for k, v in settings.items() if v is not None and not k.startswith("study.")}


def tags(experiment: Experiment, run: Run) -> dict[str, Any]:
    """Where a run comes from, None for what is not known; versions and hardware as in a summary."""
    config, made = experiment.config, asdict(environment())
    return made | {
        "study": None if config.study is None else config.study.name,
        "hash": run.hash,
        "network": experiment.network.title,
        "machine": platform.node(),
        "directory": run.directory.absolute(),
        "mlflow.source.git.commit": made["git_commit"],  # MLflow's own column shows this name
    }


def hparams(config: NetworkConfig) -> dict[str, Any]:
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
