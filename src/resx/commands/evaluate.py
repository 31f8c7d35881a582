"""`resx evaluate`: the error of a run, of a checkpoint, or of published weights."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from resx.config.composing import Typed
from resx.config.requests import EvaluateConfig
from resx.config.stored import with_typed
from resx.errors import RequestError
from resx.evaluation import evaluate, not_finite
from resx.experiment import (
    Experiment,
    open_run,
    with_foreign_weights,
    with_weights,
)
from resx.store import checkpoint
from resx.store.saved import is_own

log = logging.getLogger(__name__)

# What may be said of a run beside naming it; all else its own configuration decides.
FREE = {"run", "weights", "naming", "splits", "batch_size", "device", "precision", "outputs"}
FREE |= {"trust", "data.root", "data.workers", "data.download", "data.crops"}


def main(config: EvaluateConfig, typed: Typed) -> int:
    """Prints a row a split. Raises `RequestError` for weights that do not fit the network."""
    if (config.run is None) == (config.weights is None):
        raise RequestError("name either run=DIRECTORY or weights=FILE")
    if config.weights is not None:
        saved = checkpoint.load(Path(config.weights))
    else:
        assert config.run is not None
        saved = open_run(config.run).checkpoint()
    naming = "resx"
    if is_own(saved):
        config = with_typed(saved["config"], typed, EvaluateConfig, FREE)
        experiment = with_weights(_without_training_images(config, saved), saved)
    else:
        as_typed = bool({"data.normalize", "data.mean", "data.std"} & {*typed.keys})
        experiment, naming = with_foreign_weights(config, saved, config.naming, as_typed=as_typed)
        if experiment.config.data.mean != config.data.mean:
            data = experiment.config.data
            log.info("normalised as %s weights are: mean %s, std %s", naming, data.mean, data.std)
    sizes = experiment.dataset.sizes
    for split in config.splits:
        if split not in sizes:
            raise RequestError(f"splits: no '{split}', there is {', '.join(sizes)}")
    print(f"{experiment.network.title}, {naming} names, {config.data.name}")
    if count := not_finite(experiment.network):
        print(f"{count} of its weights and statistics are not finite: it can only guess")
    show_scores(experiment, config)
    return 0


def _without_training_images(config: EvaluateConfig, saved: dict[str, Any]) -> EvaluateConfig:
    """Without the run's draw of training images, where none of them is looked at.

    Other images than the run's may be too few for it; batch norm may need them, to be re-estimated.
    """
    needed = config.recipe.bn_reestimate and not saved["state"].get("statistics")
    if needed or {*config.splits} != {"test"}:
        return config
    return replace(config, data=replace(config.data, subset=None, val_fraction=0.0))


def show_scores(experiment: Experiment, config: EvaluateConfig) -> None:
    print(f"{'split':12} {'images':>7} {'top-1 error':>12} {'top-5 error':>12} {'loss':>9}")
    for split in config.splits:
        batches = experiment.dataset.evaluation_batches(split, config.batch_size)
        score = evaluate(experiment.network, batches, config.precision)
        top1, top5 = 100 * score.error, 100 * score.error_top5
        print(f"{split:12} {score.images:7,} {top1:10.2f} % {top5:10.2f} % {score.loss:9.4f}")
