"""How curved the loss is at the weights (Yao 2020, PyHessian, arXiv:1912.07145)."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd

from resx.analyses.analysis import Finding
from resx.analyses.curvature_figure import curvature_figure
from resx.analyses.parts.facts import at_last_step, facts, refuse_mixed
from resx.analyses.parts.hessian import Hessian, hutchpp, lanczos, signs
from resx.analyses.parts.memory import SECOND, refuse_large_graph
from resx.analyses.parts.sample import Sample, error_on
from resx.analyses.parts.seeds import ratio
from resx.analyses.parts.twins import (
    compare_twins,
    deciding,
    evidence,
    judge_all,
    learned,
    sentence,
)
from resx.analyses.parts.undisturbed import undisturbed
from resx.analyses.parts.words import name_of, rounded
from resx.experiment import Experiment
from resx.inference import Answer
from resx.reference.published import published_rows
from resx.seeding import generator

MARGIN = 1.5  # numbers within this factor of each other are level
NUMBERS = {
    "negative_share": "|lowest eigenvalue| / top",
    "trace": "trace",
    "top": "top eigenvalue",
}
YES = Answer.YES


def curvature(
    experiments: Sequence[Experiment],
    split: str = "train",
    images: int = 100,
    batch: int = 200,
    steps: int = 18,
    sketches: int = 4,
    stage_steps: int = 5,
    batch_norm: str = "eval",
    weight_decay: bool = False,
    augment: bool = False,
    seed: int = 0,
) -> Finding:
    """Of the mean cross-entropy, as PyHessian has it: in evaluation mode.

    `steps` products with the Hessian give the extreme eigenvalues and the density, 3 * `sketches`
    the trace, `stage_steps` the top eigenvalue of the diagonal block of each stage. A Hessian with
    flat directions has no condition number, so three numbers stand for it: |lowest| / top
    eigenvalue, Li 2018's measure of how far the loss is from convex (Sec. 6.1), trace, and top.
    """
    for name, value, least in (("steps", steps, 2), ("sketches", sketches, 1), ("batch", batch, 1)):
        if value < least:
            raise ValueError(f"{name}={value}: must be at least {least}")
    sample = Sample(split, images, batch_norm, weight_decay, augment)
    refuse_mixed(experiments)
    for experiment in experiments:
        count = min(batch, sample.size(experiment))
        _refuse_too_large(experiment, count, steps + 4 * sketches)
    measured = [_measure(e, sample, batch, steps, sketches, stage_steps, seed) for e in experiments]
    rows = pd.DataFrame([row for rows in measured for row in rows])
    return _conclude(rows)


def _refuse_too_large(experiment: Experiment, images: int, vectors: int) -> None:
    """So many vectors as long as the weights, and the graph of a gradient that is derived again."""
    weights = sum(p.numel() for p in experiment.network.parameters())
    what = f"images={images}: a Hessian"
    refuse_large_graph(experiment, images, what, min(vectors, weights), SECOND)


def _measure(
    experiment: Experiment,
    sample: Sample,
    batch_size: int,
    steps: int,
    sketches: int,
    stage_steps: int,
    seed: int,
) -> list[dict[str, Any]]:
    """A row for the network, for each of its parts, and for each point of the density."""
    network, known = experiment.network, facts(experiment)
    with undisturbed(network):
        images, labels = sample.of(experiment)
        sample.prepare(network)
        error = error_on(network, (images, labels))
        batches = list(zip(images.split(batch_size), labels.split(batch_size)))
        hessian = Hessian(network, batches, sample.decay(experiment))
        draw = signs(generator(seed, "curvature"), hessian.like)
        spectrum = lanczos(hessian, draw(hessian.size), steps)
        trace = hutchpp(hessian, hessian.size, sketches, draw)
        parts = {name: float(d.sum()) for name, d in hessian.split(trace.diagonal).items()}
        tops = {
            name: float(lanczos(block, draw(size), stage_steps).values[-1])
            for name in parts
            if name.startswith("stage") and stage_steps
            for block, size in [hessian.part(name)]
        }
    lowest, top = float(spectrum.values[0]), float(spectrum.values[-1])
    whole = {"part": "network", "top": top, "lowest": lowest, "trace": trace.total}
    whole |= {"top_within": float(spectrum.residuals[-1])}
    whole |= {"lowest_within": float(spectrum.residuals[0])}
    # Rounding gives a convex loss a lowest eigenvalue of either sign; a ratio needs a number.
    whole["negative_share"] = max(-lowest, 0.0) / top if top > 0 else float("nan")
    whole |= {"error": error, "learned": learned(error, len(experiment.dataset.classes))}
    rows = [known | whole | {"parameters": hessian.size}]
    rows += [known | {"part": n, "trace": t, "top": tops.get(n)} for n, t in parts.items()]
    pairs = zip(spectrum.values.tolist(), spectrum.weights.tolist())
    return rows + [known | {"part": "density", "value": v, "weight": w} for v, w in pairs]


def _conclude(measured: pd.DataFrame) -> Finding:
    rows = at_last_step(measured)
    whole = rows[rows["part"] == "network"]
    compare = ratio(MARGIN, questions=len(NUMBERS))
    compared = {c: compare_twins(whole, c, compare, untrained=True) for c in NUMBERS}
    numbers = whole.groupby(["residual", "depth"])[[*NUMBERS, "lowest", "error"]].median()
    summary = {name_of(*key): rounded(line) for key, line in numbers.iterrows()}
    told = ". ".join(f"{n.capitalize()}: {sentence(compared[c])}" for c, n in NUMBERS.items())
    text = (
        "Claim: shortcuts make the Hessian of the loss better conditioned. A Hessian with flat"
        " directions has no condition number, so three numbers stand for it. Measured: each of"
        f" them, plain over residual, by depth, level within a factor of {MARGIN}. {told}. Above 1"
        " the plain network's is larger. Limit: the loss is that of a few images, and what is"
        " around weights that have not learned says nothing of a solution. For comparison,"
        f" {_published(published_rows('PYH-F2'))}."
    )
    # What the verdict rests on; the first of them if it rests on none.
    found = [(n, c) for n, c in compared.items() if (d := deciding(c)) and d.finding.answer is YES]
    name, comparisons = (found or list(compared.items()))[0]
    return Finding(
        measured,
        partial(curvature_figure, rows, whole, NUMBERS),
        summary,
        text,
        "curvature",
        judge_all(list(compared.values())),
        *evidence(deciding(comparisons), f"{NUMBERS[name]}, plain over residual"),
    )


def _published(table: pd.DataFrame) -> str:
    """The trace in PyHessian's paper, which was not checked against the paper itself."""
    values = [f"{row.variant} {float(row.value):g}" for row in table.itertuples()]
    return f"the trace in PyHessian's Fig. 2 (CIFAR-10, not verified) is {', '.join(values)}"
