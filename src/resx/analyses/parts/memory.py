"""Refusing what cannot fit into memory before the work begins, with the estimate."""

import torch
from torch import Tensor

from resx.analyses.parts.hooks import evaluating
from resx.analyses.parts.layers import leaves
from resx.experiment import Experiment
from resx.memory import available_memory, gigabytes

BYTES = 4  # a number of float32
GRAPH = 1  # numbers that a gradient keeps for each that a layer puts out: 0.3 to 0.94 were measured
SECOND = 4  # if it is derived again; 2.9 were measured for a ResNet-20
PASS = 4  # numbers held for each of the largest output without a graph: in, out, a branch, work


def refuse_too_large(needed: float, device: torch.device, what: str) -> None:
    """Raises `ValueError` if `needed` bytes are more than there are, naming both.

        refuse_too_large(4 * points**2, e.device, f"points={points}: a grid")

    An analysis calls it with its estimate, before anything that takes long.
    """
    available = available_memory(device)
    if needed > available:
        raise ValueError(
            f"{what} needs about {gigabytes(needed)}, and {gigabytes(available)} are available"
            f" on {device}"
        )


def refuse_large_graph(
    experiment: Experiment, images: int, what: str, vectors: int = 0, graph: float = GRAPH
) -> None:
    """Raises `ValueError` if the graph of a gradient over so many images at once does not fit.

    Beside it there are `vectors` as long as all weights; the graph keeps `graph` numbers for each
    that a layer puts out.
    """
    network = experiment.network
    weights = sum(p.numel() for p in network.parameters())
    needed = BYTES * (vectors * weights + graph * images * outputs_of_layers(experiment))
    refuse_too_large(needed, experiment.device, f"{what} of {network.title}")


def refuse_large_pass(experiment: Experiment, images: int, what: str, vectors: int = 0) -> None:
    """Raises `ValueError` if so many images at once do not fit, without any gradient.

    Beside them there are `vectors` as long as all weights.
    """
    network = experiment.network
    weights = sum(p.numel() for p in network.parameters())
    needed = BYTES * (vectors * weights + PASS * images * max(sizes_of_outputs(experiment)))
    refuse_too_large(needed, experiment.device, f"{what} of {network.title}")


def outputs_of_layers(experiment: Experiment) -> float:
    """How many numbers all layers together put out for one image."""
    return sum(sizes_of_outputs(experiment))


def sizes_of_outputs(experiment: Experiment) -> list[float]:
    """How many numbers each layer puts out for one image."""
    counts: list[int] = []

    def count(_: Tensor, output: Tensor) -> None:
        counts.append(output.numel())

    network, images = experiment.network, blank_images(experiment)
    with evaluating(network, [(layer, count) for _, layer in leaves(network)]):
        network(images)
    return [count / len(images) for count in counts]


def sizes_of_blocks(experiment: Experiment) -> list[float]:
    """How many numbers each block takes and gives for one image."""
    counts: list[int] = []

    def count(x: Tensor, output: Tensor) -> None:
        counts.append(x.numel() + output.numel())

    network, images = experiment.network, blank_images(experiment)
    with evaluating(network, [(block, count) for _, block in network.blocks()]):
        network(images)
    return [count / len(images) for count in counts]


def blank_images(experiment: Experiment, count: int = 2) -> Tensor:
    """Of the size of the experiment's: (N, C, H, W)."""
    data = experiment.dataset
    shape = (count, data.channels, data.image_size, data.image_size)
    return torch.zeros(shape, device=experiment.device)
