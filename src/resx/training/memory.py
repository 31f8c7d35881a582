"""What a training step needs of the memory, said before the work begins."""

import logging
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from resx.config.schema import NetworkConfig, RecipeConfig
from resx.errors import RequestError
from resx.experiment import Experiment
from resx.memory import available_memory, gigabytes, total_memory
from resx.models.building import build_network
from resx.models.parts.complexity import parameters, step_memory
from resx.models.parts.network import Network

log = logging.getLogger(__name__)

BYTES = 4  # a number of float32
BF16 = 0.5  # of a step's bytes: nearly all are of activations, which are half as long
# A step never needs more than so many numbers for each that a layer puts out (0.3 to 0.96 were
# counted): networks that stay far below what there is are not followed tensor by tensor.
AT_MOST = 2


class Needs(NamedTuple):
    """Bytes, without the images and torch itself."""

    activations: int  # kept from the forward pass for the backward pass
    step: int  # the most at once, weights and what the optimizer keeps included


def needs(
    network: Network, recipe: RecipeConfig, shape: tuple[int, int], images: int, precision: str
) -> Needs:
    """Of a step on so many images, a micro-batch at a time; shape: channels and pixels of a side.

    In bf16 the estimate is half of that in float32, but for weights.
    """
    at_once = min(images, recipe.micro_batch or images)
    memory = step_memory(network, *shape, at_once)
    scale = BF16 if precision == "bf16" else 1
    # Gradients are in the peak already, but not those of the micro-batches before.
    copies = _copies(recipe) + (at_once < images)
    states = BYTES * copies * parameters(network)
    return Needs(round(scale * memory.activations), round(scale * memory.peak) + states)


def _copies(recipe: RecipeConfig) -> int:
    """Numbers that stay for each weight: itself, and the optimizer's averages."""
    return 3 if recipe.optimizer == "adamw" else 1 + (recipe.momentum > 0)


def refuse_large_step(experiment: Experiment) -> None:
    """Raises `RequestError` if a step needs more memory than the device has.

    Of one that needs more than is free now it warns: another process may be about to end.
    """
    config, network, device = experiment.config, experiment.network, experiment.device
    if _at_most(experiment) < available_memory(device):
        return
    needed = _of_step(config, network, experiment).step
    says = f"a step of {network.title} needs about {gigabytes(needed)}"
    if needed > (total := total_memory(device)):
        raise RequestError(f"{says}, and {device} has {gigabytes(total)}; {_less(experiment)}")
    if needed > (free := available_memory(device)):
        log.warning("%s, and %s are free on %s", says, gigabytes(free), device)


def _less(experiment: Experiment) -> str:
    """What would need less, and how much."""
    smaller = "recipe.micro_batch or another recipe.batch_size needs less"
    config = experiment.config
    if config.checkpoint_activations:
        return smaller
    meta = torch.device("meta")
    dataset = experiment.dataset
    shape = len(dataset.classes), dataset.channels, dataset.image_size
    network = build_network(replace(config, checkpoint_activations=True), *shape, meta)
    needed = _of_step(config, network, experiment).step
    return f"checkpoint_activations=true needs {gigabytes(needed)}; {smaller}"


def _of_step(config: NetworkConfig, network: Network, experiment: Experiment) -> Needs:
    dataset, recipe = experiment.dataset, config.recipe
    shape = dataset.channels, dataset.image_size
    images = recipe.batch_size // dataset.part.world
    return needs(network, recipe, shape, images, config.precision)


def _at_most(experiment: Experiment) -> int:
    """Bytes that no step exceeds, from the sizes of what all layers put out for one image."""
    network, recipe = experiment.network, experiment.config.recipe
    outputs: list[int] = []

    def count(_: nn.Module, __: object, output: Any) -> None:
        tensors = (x for x in tree_leaves(output) if isinstance(x, Tensor))
        outputs.extend(x.numel() for x in tensors)

    leaves = [module for module in network.modules() if not next(module.children(), None)]
    handles = [leaf.register_forward_hook(count) for leaf in leaves]
    dataset = experiment.dataset
    image = torch.zeros(
        (1, dataset.channels, dataset.image_size, dataset.image_size), device=experiment.device
    )
    try:
        with torch.no_grad():
            network.eval()(image)
    finally:
        network.train()
        for handle in handles:
            handle.remove()
    own = recipe.batch_size // dataset.part.world
    images = min(recipe.micro_batch or own, own)
    states = (_copies(recipe) + 2) * parameters(network)  # gradients, and a sum of them
    return BYTES * (AT_MOST * images * sum(outputs) + states)
