"""The error of a network on a split."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resx.config.schema import RecipeConfig
from resx.data.dataset import Dataset
from resx.device import autocast
from resx.distributed import total
from resx.models.parts.batch_statistics import kept_statistics, reestimate


class EvaluationScore(NamedTuple):
    """Means over `images` images; errors are fractions."""

    loss: float
    error: float
    error_top5: float
    images: int


@torch.no_grad()
def evaluate(
    network: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], precision: str = "fp32"
) -> EvaluationScore:
    """Evaluation mode over batches of images (B, C, H, W), or (B, views, C, H, W).

    Of several views the class probabilities are averaged (Krizhevsky 2012, Sec. 4.1). The network
    is left in the mode it was in. Of several processes each has its own batches, and means over
    all.
    """
    was_training = network.training
    network.eval()
    found: list[Tensor] = []  # of each batch, on the device: reading it would stall the next one
    count = 0
    for images, labels in batches:
        with autocast(images.device, precision):
            logits = network(images.flatten(0, -4))
        log_probabilities = F.log_softmax(logits.float(), dim=1)
        if images.ndim == 5:
            views = log_probabilities.unflatten(0, images.shape[:2])
            # The log of the mean probability; taken literally it underflows to -inf for a network
            # that is sure and wrong in every view.
            log_probabilities = views.logsumexp(1) - math.log(images.shape[1])
        best = log_probabilities.topk(min(5, log_probabilities.shape[1])).indices
        hits = best == labels[:, None]
        loss = F.nll_loss(log_probabilities, labels, reduction="sum")
        wrong, wrong_top5 = (~hits[:, 0]).sum(), (~hits.any(1)).sum()
        found.append(torch.stack((loss, wrong, wrong_top5)))
        count += len(labels)
    network.train(was_training)
    sums = torch.zeros(4, dtype=torch.float64)
    for of_batch in torch.stack(found).cpu().double() if found else ():
        sums[:3] += of_batch
    sums[3] = count
    *of_all, images_of_all = total(sums).tolist()
    loss, error, error_top5 = (value / images_of_all for value in of_all)
    return EvaluationScore(loss, error, error_top5, int(images_of_all))


def not_finite(network: nn.Module) -> int:
    """How many weights and statistics are NaN or infinite."""
    return sum(int((~value.isfinite()).sum()) for value in network.state_dict().values())


def reestimate_on_latest(
    network: nn.Module, dataset: Dataset, recipe: RecipeConfig, seed: int, step: int, precision: str
) -> None:
    """Batch norm's statistics over the last `recipe.bn_reestimate` batches up to `step`.

    They are those that training saw, crops and flips included: a function of (seed, step).
    """
    count = min(recipe.bn_reestimate, step)
    batches = dataset.training_batches(recipe.batch_size, seed, step - count + 1, count)
    at_a_time = recipe.micro_batch or recipe.batch_size
    parts = (part for images, _ in batches for part in images.split(at_a_time))
    reestimate(network, parts, precision)


@contextmanager
def reestimated(
    network: nn.Module, dataset: Dataset, recipe: RecipeConfig, seed: int, step: int, precision: str
) -> Iterator[None]:
    """The same for a while: training goes on with its running averages as they were."""
    with kept_statistics(network):
        reestimate_on_latest(network, dataset, recipe, seed, step, precision)
        yield
