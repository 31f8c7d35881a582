"""How far from convex the loss is around the weights (Li 2018, arXiv:1712.09913, Sec. 6.1)."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from resx.analyses.parts.hessian import Hessian, lanczos, signs
from resx.analyses.parts.slices import Slices, move, square
from resx.data.dataset import Batch
from resx.experiment import Experiment
from resx.seeding import generator


def convexity(
    experiment: Experiment,
    batch: Batch,
    along: Sequence[list[Any]],
    slices: Slices,
    decay: float,
) -> list[dict[str, Any]]:
    """|lowest| / top eigenvalue of the Hessian on a coarse grid; NaN where it has no such ratio."""
    network = experiment.network
    parameters = list(network.parameters())
    first = [p.detach().clone() for p in parameters]
    rows = []
    for a, b in square(np.linspace(-slices.span, slices.span, slices.eigenvalues)).tolist():
        move(parameters, first, along, [a, b])
        hessian = Hessian(network, [batch], decay)
        draw = signs(generator(slices.seed, "landscape"), hessian.like)
        start, share = draw(hessian.size), math.nan
        if hessian(start).isfinite().all():  # far from the weights a loss may overflow
            values = lanczos(hessian, start, slices.steps).values
            lowest, top = float(values[0]), float(values[-1])
            share = max(-lowest, 0.0) / top if top > 0 else math.nan
        rows.append({"kind": "eigenvalues", "x": a, "y": b, "not_convex": share})
    move(parameters, first, along, [0.0, 0.0])
    return rows
