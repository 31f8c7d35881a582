"""Do gradients vanish on their way to the input? (Yang 2019, arXiv:1902.08129)"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from resx.analyses.analysis import ClaimVerdict, Finding
from resx.analyses.gradient_flow_figure import gradient_flow_figure
from resx.analyses.parts.crossings import Crossing, crossings
from resx.analyses.parts.facts import facts, refuse_mixed
from resx.analyses.parts.laws import growth
from resx.analyses.parts.layers import weighted_layers
from resx.analyses.parts.memory import refuse_large_graph
from resx.analyses.parts.sample import Sample, penalized_loss
from resx.analyses.parts.seeds import mean_factor
from resx.analyses.parts.twins import deepest
from resx.analyses.parts.undisturbed import undisturbed
from resx.analyses.parts.words import name_of, said
from resx.experiment import Experiment
from resx.inference import Answer
from resx.inference import Finding as Inference
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
    if probes < 1:
        raise ValueError(f"probes={probes}: must be at least 1")
    sample = Sample(split, images, batch_norm, weight_decay, augment)
    refuse_mixed(experiments, apart=["norm"])
    for experiment in experiments:
        refuse_large_graph(experiment, sample.size(experiment), f"images={images}: a gradient")
    rows = pd.DataFrame([row for e in experiments for row in _rows(e, sample, probes)])
    growths, depth = _growths(rows), deepest(rows)
    conditions = _conditions(rows, growths)
    verdict, key = _verdict(conditions), _decisive(conditions)
    decisive = growths[key] if key else None
    summary = {_label(key): found.effect for key, found in growths.items()}
    return Finding(
        rows,
        partial(gradient_flow_figure, rows),
        summary,
        _text(growths, depth),
        "gradient-flow",
        verdict,
        decisive.effect if decisive else None,
        decisive.interval if decisive else None,
        f"{MEASURE}, depth {key[2]}, norm {key[0]}, step {key[1]}" if key else MEASURE,
    )


def _rows(experiment: Experiment, sample: Sample, probes: int) -> list[dict[str, Any]]:
    """A row a block, and one for the head."""
    network, batch = experiment.network, sample.of(experiment)
    with undisturbed(network):
        network.requires_grad_(True)
        sample.prepare(network)
        with crossings(network) as found:
            loss = penalized_loss(network, batch, sample.decay(experiment))
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
            jacobian = _jacobian(crossing, probes)
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
Conditions = dict[Key, tuple[Answer, Answer]]  # by a plain network: what it does, and its twin


def _growths(rows: pd.DataFrame) -> dict[Key, Inference]:
    """The factor by which the squared norm grows per layer towards the input, over seeds."""
    found = {}
    for key, group in rows.groupby(["norm", "step", "depth", "residual"]):
        nets = [network for _, network in group.groupby("seed")]
        factors = [growth(net["layer"], net["input_gradient"] ** 2) for net in nets]
        found[key] = mean_factor(factors, LEVEL)
    return found


def _label(key: Key) -> str:
    norm, step, depth, residual = key
    return f"{name_of(residual, depth)} norm {norm} step {step}"


def _conditions(rows: pd.DataFrame, growths: dict[Key, Inference]) -> Conditions:
    """Of each normalisation and step the greatest depth of twins: what becomes of both."""
    conditions = {}
    for (norm, step), group in rows.groupby(["norm", "step"]):
        if (depth := deepest(group)) is not None:
            pair = [growths[norm, step, depth, kind].answer for kind in (False, True)]
            conditions[norm, step, depth, False] = pair[0], pair[1]
    return conditions


def _decisive(conditions: Conditions) -> Key | None:
    """The condition that the verdict rests on: one that vanishes, else one that is open."""
    for wanted in (Answer.REVERSED, Answer.CANNOT_TELL):
        for key, (plain, _) in conditions.items():
            if plain is wanted:
                return key
    return next(iter(conditions), None)


def _verdict(conditions: Conditions) -> ClaimVerdict:
    """Of "skips prevent vanishing gradients": what residual nets do where plain ones vanish.

    False as written where plain gradients vanish nowhere: then there is nothing to prevent. The
    limit: they vanish, or that is known, under some conditions only.
    """
    vanishing = [residual for plain, residual in conditions.values() if plain is Answer.REVERSED]
    if not vanishing:
        open_ones = not conditions or any(p is Answer.CANNOT_TELL for p, _ in conditions.values())
        return ClaimVerdict.CANNOT_TELL if open_ones else ClaimVerdict.FALSE
    if Answer.CANNOT_TELL in vanishing:
        return ClaimVerdict.CANNOT_TELL
    if all(residual is Answer.REVERSED for residual in vanishing):
        return ClaimVerdict.NOT_CONFIRMED
    prevented = Answer.REVERSED not in vanishing
    everywhere = prevented and len(vanishing) == len(conditions)
    return ClaimVerdict.CONFIRMED if everywhere else ClaimVerdict.LIMITED


def _text(growths: dict[Key, Inference], depth: int | None) -> str:
    parts = [
        f"{_label(key)} {said(found, form='.3f')} ({WORDS[found.answer]})"
        for key, found in growths.items()
        if depth is None or key[2] == depth
    ]
    return (
        "Claim: shortcuts keep gradients from vanishing. Measured: the factor by which |dL/dx|^2"
        f" grows per layer towards the input, level within {LEVEL}: {'; '.join(parts)}. Where the"
        " plain network's gradient does not vanish there is nothing to prevent. Up to"
        f" {YANG:.3f} is expected of plain networks with batch norm at initialisation (Yang 2019)."
        " Limit: one straight line is fitted through the logarithms of all blocks."
    )
