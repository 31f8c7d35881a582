"""Do gradients vanish on their way to the input? (He 2015, 1512.03385; Yang 2019, 1902.08129)"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor

from resx.analyses.analysis import ClaimVerdict, Finding
from resx.analyses.inputs import draw_images, objective, set_mode
from resx.analyses.laws import growth
from resx.analyses.streams import Crossing, crossings, weighted_layers
from resx.analyses.twins import (
    Span,
    deepest,
    draw_twins,
    facts,
    judged,
    name_of,
    shown_depths,
    student,
)
from resx.analyses.undisturbed import undisturbed
from resx.experiment import Experiment
from resx.inference import Answer
from resx.seeding import generator

LEVEL = 1.05  # growth of the squared norm per layer that counts as none: 4 times over 56 layers
YANG = math.pi / (math.pi - 1)  # Yang 2019, Theorem 8: plain, batch norm, ReLU, large batches
MEASURE = "growth of |dL/dx|^2 per layer towards the input, plain networks"
WORDS = {
    Answer.YES: "explodes",
    Answer.NO: "stays level",
    Answer.REVERSED: "vanishes",
    Answer.CANNOT_TELL: "cannot be told",
}


class Growth(NamedTuple):
    """Of the squared gradient norm per layer towards the input, typical over seeds."""

    factor: float
    span: Span | None
    answer: Answer


def gradient_flow(
    experiments: Sequence[Experiment],
    images: int = 256,
    split: str = "train",
    augment: bool = False,
    batch_norm: str = "train",
    weight_decay: bool = False,
    probes: int = 4,
) -> Finding:
    """|dL/dx| at the inputs of blocks and head, |dL/dW| of their weights, Jacobians of blocks.

    Norms of all images together, L their mean loss. `jacobian` is the Frobenius norm of a block's
    Jacobian, for one image; `gain` its square over the number of outputs, the factor by which a
    gradient of independent entries grows in the block. `weight_decay` adds its penalty to dL/dW.
    Gradients vanish where a straight line through log |dL/dx|^2 against the layer says so in all
    seeds. Raises `ValueError` for options that do not exist and gradients that overflow.
    """
    options = {"images": images, "split": split, "augment": augment, "batch_norm": batch_norm}
    options |= {"weight_decay": weight_decay, "probes": probes}
    if probes < 1:
        raise ValueError(f"probes={probes}: must be at least 1")
    rows = pd.DataFrame([row for e in experiments for row in _rows(e, **options)])
    growths, depth = _growths(rows), deepest(rows)
    verdict = _verdict(rows, growths)
    decisive = next((g for key, g in growths.items() if key[2:] == (depth, False)), None)
    summary = options | {_label(key): round(g.factor, 4) for key, g in growths.items()}
    return Finding(
        rows,
        partial(_figure, rows),
        summary,
        _text(growths, depth, verdict),
        "gradient-flow",
        verdict,
        decisive.factor if decisive else None,
        decisive.span if decisive else None,
        MEASURE,
    )


def _rows(experiment: Experiment, **options: Any) -> list[dict[str, Any]]:
    """A row a block, and one for the head."""
    network = experiment.network
    count, split, augment = (options[k] for k in ("images", "split", "augment"))
    images, labels = draw_images(experiment, split, count, augment)
    with undisturbed(network):
        network.requires_grad_(True)
        set_mode(network, options["batch_norm"])
        with crossings(network) as found:
            loss = objective(experiment, images, labels, options["weight_decay"])
        parameters = list(network.parameters())
        wanted: Any = [*(crossing.entry for crossing in found), *parameters]
        gradients = torch.autograd.grad(loss, wanted, retain_graph=True, allow_unused=True)
        by_weight = dict(zip(map(id, parameters), gradients[len(found) :]))
        rows, layer = [], 0
        for number, (crossing, gradient) in enumerate(zip(found, gradients), start=1):
            own = [by_weight[id(p)] for p in crossing.block.parameters()]
            norms = {"input_gradient": norm([gradient]), "weight_gradient": norm(own)}
            if not all(map(math.isfinite, norms.values())):
                raise ValueError(f"{network.title}: gradients overflow at {crossing.name}")
            place = {"block": number, "name": crossing.name, "layer": layer}
            jacobian = _jacobian(crossing, options["probes"])
            rows.append(facts(experiment) | place | norms | jacobian)
            layer += weighted_layers(getattr(crossing.block, "branch", crossing.block))
    return rows


def norm(tensors: Sequence[Tensor | None]) -> float:
    """The Euclidean norm of all numbers together; what the loss does not depend on counts as 0."""
    return math.sqrt(sum(t.double().square().sum().item() for t in tensors if t is not None))


def _jacobian(crossing: Crossing, probes: int) -> dict[str, float]:
    square = crossing.jacobian(probes, generator(0, "probes", crossing.name))
    return {"jacobian": math.sqrt(square), "gain": square / crossing.output[0].numel()}


Key = tuple[str, int, int, bool]  # norm, step, depth, residual


def _growths(rows: pd.DataFrame) -> dict[Key, Growth]:
    found = {}
    for key, group in rows.groupby(["norm", "step", "depth", "residual"]):
        nets = [network for _, network in group.groupby(["family", "seed"])]
        logs = np.log([growth(n["layer"], n["input_gradient"] ** 2) for n in nets])
        span = student(logs)
        answer = judged(span, math.log(LEVEL), len(logs))
        limits = (math.exp(span[0]), math.exp(span[1])) if span else None
        found[key] = Growth(math.exp(logs.mean()), limits, answer)
    return found


def _label(key: Key) -> str:
    norm, step, depth, residual = key
    return f"{name_of(residual)}-{depth} norm {norm} step {step}"


def _verdict(rows: pd.DataFrame, growths: dict[Key, Growth]) -> ClaimVerdict:
    """Of "skips prevent vanishing gradients", at the greatest depth of each normalisation and step.

    False as written where plain gradients vanish nowhere: then there is nothing to prevent.
    """
    conditions = []
    for (norm, step), group in rows.groupby(["norm", "step"]):
        if (depth := deepest(group)) is not None:
            pair = [growths[norm, step, depth, kind].answer for kind in (False, True)]
            conditions.append(pair)
    if not conditions or any(Answer.CANNOT_TELL in pair for pair in conditions):
        return ClaimVerdict.CANNOT_TELL
    if not (vanishing := [pair for pair in conditions if pair[0] is Answer.REVERSED]):
        return ClaimVerdict.FALSE
    if all(residual is Answer.REVERSED for _, residual in vanishing):
        return ClaimVerdict.NOT_CONFIRMED
    prevented = all(residual is not Answer.REVERSED for _, residual in vanishing)
    everywhere = prevented and len(vanishing) == len(conditions)
    return ClaimVerdict.CONFIRMED if everywhere else ClaimVerdict.LIMITED


def _text(growths: dict[Key, Growth], depth: int | None, verdict: ClaimVerdict) -> str:
    parts = []
    for key, found in growths.items():
        if depth is None or key[2] == depth:
            span = f" [{found.span[0]:.3f}, {found.span[1]:.3f}]" if found.span else ""
            parts.append(f"{_label(key)} {found.factor:.3f}{span} ({WORDS[found.answer]})")
    return (
        "Skips prevent vanishing gradients. Measured: the factor by which |dL/dx|^2 grows per layer"
        f" towards the input: {'; '.join(parts)}. Up to {YANG:.3f} is expected of plain networks"
        f" with batch norm at initialisation (Yang 2019). Verdict: {verdict}."
    )


def _figure(rows: pd.DataFrame) -> Figure:
    """A column a depth; dL/dx above dL/dW, for each normalisation and the first and last step."""
    steps = sorted({rows["step"].min(), rows["step"].max()})
    shown = rows[rows["step"].isin(steps) & (rows["name"] != "head")]
    conditions = list(shown.groupby(["norm", "step"]))
    depths = shown_depths(rows)
    figure = Figure(figsize=(max(3.2, 3 * len(depths)), 0.5 + 4.4 * len(conditions)))
    grid = figure.subplots(2 * len(conditions), len(depths), squeeze=False, sharey="row")
    measures = (("input_gradient", "|dL/dx|, block's input"), ("weight_gradient", "|dL/dW|, block"))
    for number, ((norm, step), group) in enumerate(conditions):
        for line, (column, label) in zip(grid[2 * number : 2 * number + 2], measures):
            for axes, depth in zip(line, depths):
                axes.set_yscale("log")
                draw_twins(axes, group[group["depth"] == depth], "block", column)
                detail = f", norm {norm}, step {step}" if len(conditions) > 1 else ""
                axes.set(title=f"{depth} layers{detail}", xlabel="block")
            line[0].set_ylabel(label)
    grid[0][0].legend()
    return figure
