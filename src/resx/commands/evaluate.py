"""`resx evaluate`: the error of a run, of a checkpoint, or of published weights."""

import logging
from pathlib import Path

from omegaconf import DictConfig
from torch import nn

from resx.commands.stored import configuration_of, newest_checkpoint
from resx.config.schema import EvaluateConfig
from resx.data.augmentation import Normalization
from resx.data.dataset import Dataset
from resx.data.loading import load_dataset
from resx.device import pick_device
from resx.errors import RequestError
from resx.evaluation import evaluate
from resx.models.building import build_network
from resx.models.parts.foreign import FOREIGN_MEAN, FOREIGN_STD, bare, detect, load_weights
from resx.store import checkpoint

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
    if config.weights is not None:
        saved = checkpoint.load(Path(config.weights))
    else:
        assert config.run is not None
        saved = newest_checkpoint(config.run)
    if "state" in saved:
        config = configuration_of(saved["config"], composed, EvaluateConfig, FREE)
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
