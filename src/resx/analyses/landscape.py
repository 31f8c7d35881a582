"""The loss around trained weights, in one and two dimensions (Li 2018, arXiv:1712.09913)."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from resx.analyses.analysis import Finding
from resx.analyses.landscape_figure import landscape_figure
from resx.analyses.parts.convexity import convexity
from resx.analyses.parts.facts import at_last_step, facts, refuse_mixed
from resx.analyses.parts.memory import SECOND, refuse_large_graph, refuse_large_pass
from resx.analyses.parts.sample import Sample, error_on
from resx.analyses.parts.seeds import error_difference, ratio
from resx.analyses.parts.slices import (
    Slices,
    basin,
    clipped,
    coordinates,
    direction,
    losses,
    roughness,
    square,
    unevenness,
)
from resx.analyses.parts.smoothness import CEILING, verdict, why_blind
from resx.analyses.parts.twins import (
    compare_twins,
    deciding,
    evidence,
    learned,
    sentence,
)
from resx.analyses.parts.undisturbed import undisturbed
from resx.analyses.parts.words import name_of, rounded
from resx.experiment import Experiment

MARGIN = 1.1  # roughness is level within this factor
WIDTH_MARGIN = 0.05  # shares of a slice are level within this


def landscape(
    experiments: Sequence[Experiment],
    split: str = "train",
    images: int = 128,
    line: int = 41,
    directions: int = 2,
    grid: int = 15,
    surfaces: int = 1,
    span: float = 1.0,
    level: float = 0.5,
    eigenvalues: int = 3,
    steps: int = 6,
    batch_norm: str = "eval",
    weight_decay: bool = False,
    augment: bool = False,
    seed: int = 0,
) -> Finding:
    """Along seeded Gaussian directions, each filter as long as the trained one.

    Every network gets 1-D slices, and `surfaces` seeds of each a 2-D one; twins share grid, scale
    and what the directions are made of. Numbers: the share of a slice whose loss is at most
    `level` times that of a guess, ln(classes), and roughness, the total variation of a 1-D slice
    over that of a single valley (losses up to 10). With a 2-D slice comes the convexity ratio,
    |lowest| / top eigenvalue at `eigenvalues` points on each of its sides, by `steps` products with
    the Hessian (Sec. 6.1): too few to find the lowest, so that the ratio is a lower bound. Batch
    norm keeps its running averages unless batch_norm=train, as in the paper's code.
    """
    sample = Sample(split, images, batch_norm, weight_decay, augment)
    slices = Slices(line, grid, directions, span, eigenvalues, steps, seed)
    refuse_mixed(experiments)
    for experiment in experiments:
        _refuse_too_large(experiment, sample.size(experiment), slices, images)
    seeds = _first_seeds(experiments, surfaces)
    rows = pd.DataFrame(
        row
        for e in experiments
        for row in _measure(e, sample, slices, level, e.config.seed in seeds[_kind(e)])
    )
    return _conclude(rows, points=line * directions)


def _refuse_too_large(experiment: Experiment, count: int, slices: Slices, images: int) -> None:
    """All images in one pass beside weights and directions; with Lanczos' vectors a Hessian."""
    directions = 2 + max(slices.directions, 2)
    refuse_large_pass(experiment, count, f"images={images}: a pass", directions)
    if slices.eigenvalues:
        vectors = slices.steps + directions
        refuse_large_graph(experiment, count, f"images={images}: a Hessian", vectors, SECOND)


def _kind(experiment: Experiment) -> tuple[int, bool]:
    return experiment.config.depth, experiment.config.residual


def _first_seeds(
    experiments: Sequence[Experiment], count: int
) -> dict[tuple[int, bool], list[int]]:
    seeds: dict[tuple[int, bool], set[int]] = {}
    for experiment in experiments:
        seeds.setdefault(_kind(experiment), set()).add(experiment.config.seed)
    return {kind: sorted(found)[:count] for kind, found in seeds.items()}


def _measure(
    experiment: Experiment, sample: Sample, slices: Slices, level: float, surface: bool
) -> list[dict[str, Any]]:
    """A row a point of every slice, and one row with the numbers of the network."""
    network, classes = experiment.network, len(experiment.dataset.classes)
    bound, decay = level * math.log(classes), sample.decay(experiment)
    batch = sample.of(experiment)
    known, rows = facts(experiment), []
    with undisturbed(network):
        sample.prepare(network)
        error = error_on(network, batch)
        along = [direction(network, slices.seed, k) for k in range(max(slices.directions, 2))]
        x = coordinates(slices.span, slices.line)
        lines = [losses(network, batch, [d], x[:, None], decay) for d in along[: slices.directions]]
        numbers = {
            "loss": lines[0][len(x) // 2],
            "basin": np.mean([basin(loss, bound) for loss in lines]),
            "roughness": np.mean([roughness(loss, CEILING) for loss in lines]),
            "unevenness": np.mean([unevenness(loss, CEILING) for loss in lines]),
            "clipped": np.mean([clipped(loss, CEILING) for loss in lines]),
        }
        for number, loss in enumerate(lines):
            values = zip(x.tolist(), loss.tolist())
            rows += [{"kind": "line", "direction": number, "x": a, "loss": v} for a, v in values]
        if surface:
            points = square(coordinates(slices.span, slices.grid))
            loss = losses(network, batch, along[:2], points, decay)
            numbers["basin_2d"] = basin(loss, bound)
            pairs = zip(points.tolist(), loss.tolist())
            rows += [{"kind": "surface", "x": a, "y": b, "loss": v} for (a, b), v in pairs]
            if slices.eigenvalues:
                found = convexity(experiment, batch, along[:2], slices, decay)
                numbers["not_convex"] = pd.Series([row["not_convex"] for row in found]).max()
                rows += found
    whole = {"kind": "network", "error": error, "learned": learned(error, classes)}
    return [known | whole | numbers, *(known | row for row in rows)]


def _conclude(measured: pd.DataFrame, points: int) -> Finding:
    rows = at_last_step(measured)
    whole = rows[rows["kind"] == "network"]
    rough = compare_twins(whole, "roughness", ratio(MARGIN), untrained=True)
    wide = compare_twins(whole, "basin", error_difference(points, WIDTH_MARGIN), untrained=True)
    uneven = compare_twins(whole, "unevenness", ratio(MARGIN), untrained=True)
    columns = ["loss", "error", "basin", "basin_2d", "roughness", "unevenness", "clipped"]
    columns += ["not_convex"]
    means = whole.reindex(columns=["residual", "depth", *columns])
    means = means.groupby(["residual", "depth"])[columns].mean()
    summary = {name_of(*key): rounded(line) for key, line in means.iterrows()}
    basins = ", ".join(f"{name} {100 * e['basin']:.0f} %" for name, e in summary.items())
    text = (
        "Claim: shortcuts make the loss surface smoother. Measured: how rough the loss is along"
        " random directions through the weights (1: a single valley), plain over residual, by"
        f" depth, level within {100 * (MARGIN - 1):.0f} %: {sentence(rough)}. Above 1 the plain"
        f" network's loss is rougher.{why_blind(whole, rough)} Beside it, how far a slice is from"
        f" a parabola (rms over range), plain over residual: {sentence(uneven)}; |lowest| / top"
        " eigenvalue, the greatest on a coarse grid (0: convex), at least, as a few products with"
        f" the Hessian do not find the lowest: {_convex(summary)}; the share of a slice with a low"
        f" loss: {basins}; plain minus residual, in points, by depth: {sentence(wide, scale=100)}."
        " Limit: slices see a few of"
        " very many directions, and losses of a few images; what lies between their points they do"
        " not see."
    )
    return Finding(
        measured,
        partial(landscape_figure, rows, CEILING),
        summary,
        text,
        "landscape",
        verdict(whole, rough),
        *evidence(deciding(rough), "ratio of the roughness of 1-D slices, plain over residual"),
    )


def _convex(summary: dict[str, dict[str, float]]) -> str:
    found = {n: e["not_convex"] for n, e in summary.items() if "not_convex" in e}
    return ", ".join(f"{name} {value:.2g}" for name, value in found.items()) or "not computed"
