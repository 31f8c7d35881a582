"""The error of a network without some of its blocks, or with them exchanged (Veit 2016)."""

from typing import Any

import numpy as np

from resx.analyses.parts.facts import facts
from resx.analyses.parts.gradient_paths import gradient_by_length
from resx.analyses.parts.sample import Sample, error_on
from resx.analyses.parts.surgery import Blocks, deleted, swapped
from resx.analyses.parts.twins import learned
from resx.analyses.parts.undisturbed import undisturbed
from resx.data.dataset import Batch
from resx.experiment import Experiment


def lesions(
    experiment: Experiment,
    sample: Sample,
    paths: Sample,
    draws: int,
    most: int,
    path_draws: int,
    seed: int,
) -> list[dict[str, Any]]:
    network, known = experiment.network, facts(experiment)
    batch, seeds = sample.of(experiment), [seed, experiment.config.seed]
    with undisturbed(network):
        sample.prepare(network)
        blocks = Blocks(network, batch[0][:2])
        whole, classes = error_on(network, batch), len(experiment.dataset.classes)
        known |= {"learned": learned(whole, classes)}
        rows = [{"kind": "whole", "number": 0, "error": whole}]
        rows += _one_by_one(blocks, batch, classes)
        rows += _several(blocks, batch, draws, most, seeds)
        if blocks.residual:
            rows += gradient_by_length(blocks, paths.of(experiment), path_draws, seeds)
    return [known | row for row in rows]


def _one_by_one(blocks: Blocks, batch: Batch, classes: int) -> list[dict[str, Any]]:
    """`knows` says whether the network without the block still does what it has learned."""
    rows = []
    for number, name in enumerate(blocks.names):
        row: dict[str, Any] = {"kind": "delete", "number": number + 1, "name": name}
        row["keeps_shape"] = blocks.keeps_shape(number)
        if blocks.deletable(number):
            with deleted(blocks, [number]):
                error = error_on(blocks.network, batch)
            row |= {"error": error, "knows": learned(error, classes)}
        rows.append(row)
    return rows


def _several(
    blocks: Blocks, batch: Batch, draws: int, most: int, seed: list[int]
) -> list[dict[str, Any]]:
    """Of blocks that keep their shape: without several others a network could not run at all.

    In each draw the k blocks, and the k pairs, are the first k of one random order.
    """
    rows = []
    free = [i for i in range(len(blocks.names)) if blocks.keeps_shape(i)]
    pairs = [(a, b) for a in free for b in free if a < b and blocks.alike(a, b)]
    for draw in range(draws):
        random = np.random.default_rng([*seed, draw])
        order, swaps = random.permutation(free).tolist(), random.permutation(pairs).tolist()
        for k in (2**i for i in range(most.bit_length()) if 2**i <= most):
            row = {"number": k, "draw": draw}
            if k <= len(order):
                with deleted(blocks, order[:k]):
                    rows.append({"kind": "random", "error": error_on(blocks.network, batch)} | row)
            if k <= len(swaps):
                with swapped(blocks, swaps[:k]) as tau:
                    error = error_on(blocks.network, batch)
                rows.append({"kind": "swap", "error": error, "tau": tau} | row)
    return rows
