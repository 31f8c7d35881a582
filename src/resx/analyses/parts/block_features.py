"""Of every block: a linear probe, the direction of F(x), and to what its output is similar."""

import math
from typing import Any

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from resx.analyses.parts.facts import facts
from resx.analyses.parts.memory import (
    BYTES,
    GRAPH,
    outputs_of_layers,
    refuse_too_large,
    sizes_of_blocks,
)
from resx.analyses.parts.passages import passages
from resx.analyses.parts.sample import Sample, error_on
from resx.analyses.parts.similarity import cosine, linear_cka, pooled, similarities
from resx.analyses.parts.twins import learned
from resx.analyses.parts.undisturbed import undisturbed
from resx.experiment import Experiment


def refuse_too_many(experiment: Experiment, images: int, probe_images: int) -> None:
    """Input, output, branch and gradient of all blocks are held, and the graph of one pass.

    For CKA features of a block in float64, and a Gram matrix of the images for every block.
    """
    blocks, count = sizes_of_blocks(experiment), images + probe_images
    needed = BYTES * 2 * count * sum(blocks)
    needed += BYTES * GRAPH * max(images, probe_images) * outputs_of_layers(experiment)
    needed += 2 * BYTES * (2 * images * max(blocks, default=0) + len(blocks) * images**2)
    what = f"images={images}, probe_images={probe_images}: holding what all blocks of"
    refuse_too_large(needed, experiment.device, f"{what} {experiment.network.title} take and give")


def block_rows(
    experiment: Experiment, sample: Sample, probed: Sample, strength: float
) -> list[dict[str, Any]]:
    """A row a block, from the stem to the head, and a row a pair of blocks (`kind`)."""
    network, known = experiment.network, facts(experiment)
    test, train = sample.of(experiment), probed.of(experiment)
    with undisturbed(network):
        sample.prepare(network)
        whole = error_on(network, test)
        at_test, at_train = passages(network, test), passages(network, train)
    known |= {"error": whole, "learned": learned(whole, len(experiment.dataset.classes))}
    rows = []
    for number, (tested, trained) in enumerate(zip(at_test, at_train), start=1):
        features = pooled(trained.output), pooled(tested.output)
        row = {"kind": "block", "block": number, "name": tested.name}
        row |= {"keeps_shape": tested.keeps_shape}
        row |= {"cosine": math.nan, "size": math.nan}
        row["probe_error"] = probe_error(features, (train[1], test[1]), strength)
        if tested.added is not None:
            row["cosine"] = cosine(tested.added, -tested.gradient)
            row["size"] = float(tested.added.norm() / tested.x.norm())
        rows.append(known | row | {"cka": linear_cka(tested.x, tested.output)})
    alike = similarities([passage.output for passage in at_test])
    return rows + [
        known | {"kind": "pair", "block": i, "with": j, "cka": alike[i - 1, j - 1].item()}
        for i in range(1, len(alike) + 1)
        for j in range(1, i + 1)
    ]


def probe_error(
    features: tuple[Tensor, Tensor], labels: tuple[Tensor, Tensor], strength: float
) -> float:
    """Of a logistic regression fitted to the first of two sets and judged on the second."""
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=5000))
    probe.fit(features[0].double().cpu().numpy(), labels[0].cpu().numpy())
    return 1 - float(probe.score(features[1].double().cpu().numpy(), labels[1].cpu().numpy()))
