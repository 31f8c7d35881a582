"""`resx evaluate`: the error of a run, of a checkpoint, or of published weights."""

import logging
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf
from torch import nn

from resx import checkpoint
from resx.config import EvaluateConfig
from resx.data.augmentation import Normalization
from resx.data.dataset import Dataset
from resx.data.loading import load_dataset
from resx.device import pick_device
from resx.evaluation import evaluate
from resx.models.building import build_network
from resx.models.naming import FOREIGN_MEAN, FOREIGN_STD, bare, detect, load_weights
from resx.request import RequestError
from resx.run import Run
from resx.settings import typed

log = logging.getLogger(__name__)

# What may be said of a run beside naming it; all else its own configuration decides.
FREE = {
    "run",
    "weights",
    "naming",
    "splits",
    "batch_size",
    "device",
    "precision",
    "outputs",
    "trust",
}
FREE |= {"data.root", "data.workers", "data.download", "data.crops"}


def main(config: EvaluateConfig, composed: DictConfig) -> int:
    """Prints a row a split. Raises `RequestError` for weights that do not fit the network."""
    if (config.run is None) == (config.weights is None):
        raise RequestError("name either run=DIRECTORY or weights=FILE")
    saved = _load(config)
    if "state" in saved:
        config = _configuration_of(saved["config"], composed)
    naming = "resx"
    if "state" not in saved:
        weights = bare(saved)
        naming = detect(weights) if config.naming == "auto" else config.naming
        _adopt_conventions(config, naming)
    device = pick_device(config.device)
    dataset = load_dataset(config.data, device, Path(config.outputs, "cache"), config.trust)
    network = build_network(
        config, len(dataset.classes), dataset.channels, dataset.image_size, device
    )
    if "state" in saved:
        load_weights(network, saved["state"]["model"], "resx")
        dataset.normalization = Normalization(saved["mean"], saved["std"])
        if saved["classes"] != dataset.classes:
            raise RequestError("the run was trained on other classes than these images have")
    else:
        load_weights(network, weights, naming)
    for split in config.splits:
        if split not in dataset.sizes:
            raise RequestError(f"splits: no '{split}', there is {', '.join(dataset.sizes)}")
    print(f"{network.title}, {naming} names, {config.data.name}")
    show_scores(network, dataset, config)
    return 0


def show_scores(network: nn.Module, dataset: Dataset, config: EvaluateConfig) -> None:
    print(f"{'split':12} {'images':>7} {'top-1 error':>12} {'top-5 error':>12} {'loss':>9}")
    for split in config.splits:
        batches = dataset.evaluation_batches(split, config.batch_size)
        score = evaluate(network, batches, config.precision)
        top1, top5 = 100 * score.error, 100 * score.error_top5
        print(f"{split:12} {score.images:7,} {top1:10.2f} % {top5:10.2f} % {score.loss:9.4f}")


def _load(config: EvaluateConfig) -> dict[str, Any]:
    if config.weights is not None:
        return checkpoint.load(Path(config.weights))
    assert config.run is not None
    run = Run(Path(config.run))
    run.read_config()  # says so if this is no run
    saved = checkpoint.load_newest(run.directory)
    if saved is None:
        raise RequestError(f"{config.run}: the run has no checkpoint yet")
    return saved


def _configuration_of(stored: dict[str, Any], composed: DictConfig) -> EvaluateConfig:
    """The run's own configuration, with what was typed about where and how to evaluate."""
    typed_keys = [
        override.key_or_group
        for override in OverridesParser.create().parse_overrides(
            list(HydraConfig.get().overrides.task)
        )
    ]
    if strange := sorted(set(typed_keys) - FREE):
        raise RequestError(f"{strange[0]}: a run's own configuration decides that")
    stored.pop("force", None)
    config = OmegaConf.merge(OmegaConf.structured(EvaluateConfig), stored)
    for key in typed_keys:
        OmegaConf.update(config, key, OmegaConf.select(composed, key))
    assert isinstance(config, DictConfig)
    result = typed(config, EvaluateConfig)
    assert isinstance(result, EvaluateConfig)
    return result


def _adopt_conventions(config: EvaluateConfig, naming: str) -> None:
    """Weights of other projects come with their colour normalisation and place of the stride."""
    if naming == "resx":
        return
    if config.data.normalize != "given":
        config.data.normalize = "given"
        config.data.mean, config.data.std = FOREIGN_MEAN, FOREIGN_STD
        log.info("normalised as %s weights are: mean %s, std %s", naming, FOREIGN_MEAN, FOREIGN_STD)
    if naming == "torchvision" and config.model.get("stride_in") == "1x1":
        config.model["stride_in"] = "3x3"
