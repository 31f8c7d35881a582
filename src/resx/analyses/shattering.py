"""Do input gradients decorrelate from image to image? (Balduzzi 2017, arXiv:1702.08591)"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor, nn

from resx.analyses.analysis import ClaimVerdict, Finding
from resx.analyses.parts.batch_norm import held_statistics, set_mode
from resx.analyses.parts.drawing import draw_twins, shown_depths
from resx.analyses.parts.facts import at_first_step, facts, refuse_mixed
from resx.analyses.parts.laws import Law, fit_laws
from resx.analyses.parts.memory import refuse_large_graph
from resx.analyses.parts.sample import Sample
from resx.analyses.parts.seeds import mean_difference
from resx.analyses.parts.twins import Comparison, deepest, evidence
from resx.analyses.parts.undisturbed import undisturbed
from resx.analyses.parts.words import kind_of, name_of, said
from resx.experiment import Experiment
from resx.inference import Answer
from resx.seeding import generator

MARGIN = 0.05  # a difference of correlations that counts as none
MEASURE = "correlation of the input gradients of nearby inputs, residual minus plain"
UNFITTED = "no law is fitted to fewer than three depths above the noise"


def shattering(
    experiments: Sequence[Experiment],
    paths: int = 16,
    points: int = 17,
    lag: int = 1,
    split: str = "train",
    batch_norm: str = "train",
) -> Finding:
    """Cosine of input gradients on straight `paths` between two images, `points` on each.

    The gradient is that of a random combination of the logits, the same for all networks, so that
    no label comes in. Correlations are over weights in the paper, about a mean of zero; here the
    entries of a gradient stand for them. `batch_norm=train` normalises by the statistics of all
    points, held constant: the gradient of an image is its own, as in the paper's analysis. Depths
    are compared `lag` points apart. Raises `ValueError` for options that do not exist.
    """
    for name, value in (("paths", paths), ("points", points)):
        if value < 2:
            raise ValueError(f"{name}={value}: must be at least 2")
    if not 1 <= lag < points:
        raise ValueError(f"lag={lag}: must be from 1 to points - 1 = {points - 1}")
    sample = Sample(split, 2 * paths, batch_norm)
    refuse_mixed(experiments, apart=["norm"])
    for experiment in experiments:
        count = sample.size(experiment) // 2 * points
        what = f"paths={paths}: the gradients at {count} points"
        refuse_large_graph(experiment, count, what)
    rows = pd.DataFrame([row for e in experiments for row in _rows(e, sample, points)])
    near = rows[rows["lag"] == lag]
    first = at_first_step(near[near["norm"] == near["norm"].min()])
    laws = {kind: _laws(first[first["residual"] == kind]) for kind in (False, True)}
    contrast = _contrast(first)
    verdict = _verdict(first, laws, contrast)
    text = _text(laws, contrast)
    figure = partial(_figure, rows, lag)
    rests_on = evidence(contrast, MEASURE)
    return Finding(rows, figure, _summary(near, laws), text, "shattering", verdict, *rests_on)


def _summary(near: pd.DataFrame, laws: dict[bool, list[Law]]) -> dict[str, float]:
    """Mean correlations, and what each law leaves of their logarithms."""
    means = near.groupby(["residual", "norm", "depth", "step"])["correlation"].mean()
    summary = {}
    for (kind, norm, depth, step), value in means.items():
        summary[f"{name_of(kind, depth)} norm {norm} step {step}"] = float(value)
    for kind, fitted in laws.items():
        summary |= {f"{kind_of(kind)}: {law}": law.error for law in fitted}
    return summary


def _rows(experiment: Experiment, sample: Sample, points: int) -> list[dict[str, Any]]:
    """A row a lag: the mean cosine over all paths and pairs of points that are so far apart."""
    network, (images, _) = experiment.network, sample.of(experiment)
    with undisturbed(network):
        along = path(images[0::2], images[1::2], points)
        gradients = input_gradients(network, along.flatten(0, 1), sample.batch_norm)
    directions = F.normalize(gradients.flatten(1).double(), dim=1).unflatten(0, (-1, points))
    cosines = directions @ directions.transpose(1, 2)  # (paths, points, points)
    # The standard deviation of a path's cosine if gradients were noise, over all paths.
    noise = 1 / math.sqrt(directions.shape[-1] * len(directions))
    return [
        facts(experiment)
        | {"lag": lag, "correlation": cosines.diagonal(lag, 1, 2).mean().item(), "noise": noise}
        for lag in range(1, points)
    ]


def path(start: Tensor, end: Tensor, points: int) -> Tensor:
    """(paths, C, H, W) twice -> (paths, points, C, H, W), evenly spaced, both ends included."""
    shares = torch.linspace(0, 1, points, device=start.device)[:, None, None, None]
    return torch.lerp(start[:, None], end[:, None], shares)


def input_gradients(network: nn.Module, images: Tensor, batch_norm: str) -> Tensor:
    """d(c^T logits) / d image of every image, for one random c: (N, C, H, W) -> the same."""
    set_mode(network, batch_norm)
    with held_statistics(network, images):
        images = images.detach().requires_grad_()
        logits = network(images)
        c = torch.randn(logits.shape[1], generator=generator(0, "shattering")).to(logits)
        return torch.autograd.grad((logits @ c).sum(), images)[0]


def _laws(rows: pd.DataFrame) -> list[Law]:
    """Of the mean over seeds, at the depths where it is above its noise."""
    means = rows.groupby("depth")[["correlation", "noise"]].mean()
    seeds = rows.groupby("depth")["correlation"].count()
    means = means[means["correlation"] > 2 * means["noise"] / np.sqrt(seeds)]
    return fit_laws(means.index.to_numpy(dtype=float), means["correlation"].to_numpy(dtype=float))


def _contrast(rows: pd.DataFrame) -> Comparison | None:
    """Residual minus plain at the greatest depth that both have, over seeds."""
    if (depth := deepest(rows)) is None:
        return None
    residual, plain = (_seeds(rows, kind, depth) for kind in (True, False))
    return Comparison(depth, mean_difference(MARGIN)(residual, plain), fair=True)


def _seeds(rows: pd.DataFrame, residual: bool, depth: int) -> list[float]:
    at = rows[(rows["residual"] == residual) & (rows["depth"] == depth)]
    return at.groupby("seed")["correlation"].mean().to_list()


def _verdict(
    rows: pd.DataFrame, laws: dict[bool, list[Law]], contrast: Comparison | None
) -> ClaimVerdict:
    """Of "gradients of plain nets decorrelate, with skips they do so far more slowly".

    Plain gradients must fall with depth, and residual ones be higher at the greatest. The limit is
    a law that was fitted and is another than the paper's (exponential, a power with skips).
    """
    plain = rows[~rows["residual"]]
    if contrast is None:
        return ClaimVerdict.CANNOT_TELL
    shallowest, falls = plain["depth"].min(), Answer.CANNOT_TELL  # of one depth
    if shallowest < contrast.depth:
        shallow, deep = (_seeds(rows, False, depth) for depth in (shallowest, contrast.depth))
        falls = mean_difference(MARGIN)(shallow, deep).answer
    for answer in (contrast.finding.answer, falls):
        if answer is not Answer.YES:
            undecided = answer is Answer.CANNOT_TELL
            return ClaimVerdict.CANNOT_TELL if undecided else ClaimVerdict.NOT_CONFIRMED
    expected = {False: "exponential", True: "power"}
    others = [kind for kind, fitted in laws.items() if fitted and fitted[0].name != expected[kind]]
    return ClaimVerdict.LIMITED if others else ClaimVerdict.CONFIRMED


def _text(laws: dict[bool, list[Law]], contrast: Comparison | None) -> str:
    found = "no depth has both plain and residual networks"
    if contrast is not None:
        difference = said(contrast.finding, form="+.3f")
        found = f"residual minus plain at {contrast.depth} layers {difference}"
    for kind, fitted in laws.items():
        better = f"{fitted[0]} fits better than {fitted[1]}" if fitted else UNFITTED
        found += f"; {kind_of(kind)}: {better}"
    return (
        "Claim: the input gradients of plain networks decorrelate over neighbouring inputs as depth"
        " grows, those of residual networks far less. Measured: the cosine of the input gradients"
        f" of nearby inputs; {found}. Expected of inputs far apart: 0.5^L plain, L^-0.5 residual"
        " with batch norm (Balduzzi 2017). Limit: a law is fitted to the mean over seeds, and which"
        " of two fits better is not tested."
    )


def _figure(rows: pd.DataFrame, lag: int) -> Figure:
    """Against depth at one lag, then against the lag at up to three depths."""
    depths = shown_depths(rows)
    rows = at_first_step(rows)
    figure = Figure(figsize=(3 + 2.4 * len(depths), 3.2))
    axes = figure.subplots(1, len(depths) + 1, sharey=True)
    draw_twins(axes[0], rows[rows["lag"] == lag], "depth", "correlation")
    axes[0].set(xlabel="depth", ylabel="correlation of input gradients", title=f"at lag {lag}")
    for panel, depth in zip(axes[1:], depths):
        draw_twins(panel, rows[rows["depth"] == depth], "lag", "correlation")
        panel.set(xlabel="lag, points on the path", title=f"{depth} layers")
    axes[0].legend()
    return figure
