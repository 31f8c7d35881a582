"""What a notebook needs, as functions: the same as the commands, without Hydra's job around it."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from resx.config.composing import compose
from resx.config.refusals import one_line
from resx.config.schema import TrainConfig
from resx.errors import RequestError
from resx.evaluation import EvaluationScore
from resx.evaluation import evaluate as evaluate_batches
from resx.experiment import Experiment, StoredRun, prepare
from resx.models.building import build_network
from resx.models.parts.network import Network
from resx.report.collect import collect
from resx.store.store import Store
from resx.training.probes import Probe
from resx.training.session import refuse_large_batch, refuse_other_images, train_run


def configure(*overrides: str) -> TrainConfig:
    """The configuration that `resx train` would have with these overrides.

        resx.configure("depth=56", "residual=false", "recipe.steps=100")

    Raises `ValueError`, in the command line's words, for a name that does not exist and for a value
    out of range.
    """
    try:
        return compose(*overrides)
    except Exception as error:
        line = one_line(error, "train")
        if line is None:
            raise
        raise RequestError(line) from error


def runs(outputs: str | Path = "outputs") -> pd.DataFrame:
    """All runs below a folder: a row each, indexed by run directory, empty if there is none.

    Columns are the settings as they are typed (`depth`, `recipe.lr`, ...), `status`, `network`,
    `parameters`, `seconds`, and of each split the last record's `test_error` (a fraction),
    `test_loss`, and so on. Runs that cannot be read are left out with a warning that names them.
    """
    collected = collect([run.directory for run in Store(outputs).runs()])
    for directory, reason in collected.skipped.items():
        warnings.warn(f"{directory} cannot be read: {reason}", stacklevel=2)
    return collected.runs


def build(
    model: str = "resnet",
    *,
    num_classes: int,
    in_channels: int = 3,
    image_size: int = 32,
    depth: int | None = None,
    residual: bool = True,
    block: str | None = None,
    layout: str = "auto",
    seed: int = 0,
    **options: Any,
) -> Network:
    """A network of a family of `resx list model` with the first weights of `seed`, on the CPU.

    (N, in_channels, image_size, image_size) -> logits (N, num_classes). `options` are the
    family's own, such as `width=8`; what is None is the family's default. Raises `ValueError` for
    a depth, block or option that it does not have.
    """
    asked = {"depth": depth, "block": block} | {f"model.{k}": v for k, v in options.items()}
    lines = [f"{key}={_spelled(value)}" for key, value in asked.items() if value is not None]
    lines += [f"residual={_spelled(residual)}", f"layout={layout}", f"seed={seed}"]
    config = configure(f"model={model}", *lines)
    return build_network(config, num_classes, in_channels, image_size, torch.device("cpu"))


def train(config: TrainConfig, probes: Sequence[Probe] = ()) -> StoredRun:
    """Train a run, or what is missing of it, as `resx train` does; a finished one is opened.

    `probes` look at the network while it trains (`resx.training.probes.Probe`). Raises
    `ValueError` for a wrong request, KeyboardInterrupt, after a checkpoint, for Ctrl-C.
    """
    run = Store(config.outputs).run(config)
    experiment = prepare(config)
    refuse_large_batch(experiment)
    with run.locked():
        if not config.force:
            refuse_other_images(experiment.dataset, run)
        train_run(experiment, run, quiet=True, probes=probes)
    return StoredRun(run.directory, run.outputs)


def evaluate(experiment: Experiment, split: str = "test", batch_size: int = 500) -> EvaluationScore:
    """Loss and errors (fractions) of the network on `train`, `val` or `test` images.

    In evaluation mode and without augmentation; the network stays in the mode it was in. Raises
    `ValueError` for a split that the data set does not have.
    """
    sizes = experiment.dataset.sizes
    if split not in sizes:
        raise ValueError(f"split={split}: must be one of {', '.join(sizes)}")
    batches = experiment.dataset.evaluation_batches(split, batch_size)
    return evaluate_batches(experiment.network, batches, experiment.config.precision)


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
