"""How much do gradients of batches scatter, at equal loss? (McCandlish 2018, arXiv:1812.06162)"""

import math
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from resx.analyses.analysis import ClaimVerdict, Finding
from resx.analyses.gradient_noise_figure import gradient_noise_figure
from resx.analyses.parts.facts import NETWORK, facts, refuse_mixed
from resx.analyses.parts.memory import refuse_large_graph
from resx.analyses.parts.noise_scale import measure_noise
from resx.analyses.parts.sample import Sample, penalized_loss
from resx.analyses.parts.seeds import ratio
from resx.analyses.parts.undisturbed import undisturbed
from resx.analyses.parts.words import as_numbers, said
from resx.experiment import Experiment
from resx.inference import Answer
from resx.inference import Finding as Inference
from resx.seeding import generator

VECTORS = 6  # as long as the weights: a gradient in pieces and whole, two of twice the precision
MEASURE = "variance of a batch's gradient, plain over residual at equal loss"
TWINS = [name for name in NETWORK if name != "residual"]


def gradient_noise(
    experiments: Sequence[Experiment],
    batches: int = 20,
    batch_size: int | None = None,
    split: str = "train",
    augment: bool = False,
    batch_norm: str = "train",
    weight_decay: bool = False,
    level: float = 1.5,
) -> Finding:
    """Variance |g - G|^2 of the gradient of one batch, and the noise scale, of twins at equal loss.

    Of each plain network and its residual twins with the same seed, at all their steps, the pair
    with the nearest losses is compared, if those differ by less than the factor `level`. Trained
    networks count once they have learned, with half of a guess's loss or less: else first weights
    would be compared. The claim is of the variance; the noise scale says whether it holds relative
    to the gradient, too. Batches have the recipe's size unless `batch_size` is given. Raises
    `ValueError` for options that do not exist, or without images for two batches.
    """
    if batches < 2:
        raise ValueError(f"batches={batches}: must be at least 2")
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size={batch_size}: must be at least 1")
    if level <= 1:
        raise ValueError(f"level={level}: must be a factor above 1")
    refuse_mixed(experiments, apart=["norm"])
    sizes = [batch_size or e.config.recipe.batch_size for e in experiments]
    samples = [Sample(split, batches * n, batch_norm, weight_decay, augment) for n in sizes]
    for experiment, size in zip(experiments, sizes):
        refuse_large_graph(experiment, size, f"batch_size={size}: a gradient", VECTORS)
    rows = pd.DataFrame([_row(*each) for each in zip(experiments, samples, sizes)])
    pairs = match(rows, level)
    rows["matched"] = rows.index.isin([*pairs["plain"], *pairs["residual"]])
    variance, scale = (_compare(rows, pairs, column) for column in ("variance", "noise_scale"))
    verdict, text = _verdict(variance, scale), _text(rows, pairs, variance, scale)
    ratios = {"variance_ratio": as_numbers(variance), "noise_scale_ratio": as_numbers(scale)}
    effect, span = (variance.effect, variance.interval) if variance else (None, None)
    figure = partial(gradient_noise_figure, rows)
    summary = ratios | {"pairs": len(pairs)}
    return Finding(rows, figure, summary, text, "gradient-noise", verdict, effect, span, MEASURE)


def _row(experiment: Experiment, sample: Sample, size: int) -> dict[str, Any]:
    network, decay = experiment.network, sample.decay(experiment)
    images, labels = sample.of(experiment)
    whole = len(images) // size  # batches of less would scatter more
    if whole < 2:
        raise ValueError(f"batch_size={size}: the split has only {len(images)} images")
    # Drawn images come class by class, so the batches are drawn from them.
    order = torch.randperm(len(images), generator=generator(0, "noise")).to(images.device)
    losses: list[float] = []

    def gradients() -> Iterable[Tensor]:
        for chosen in order[: whole * size].split(size):
            loss = penalized_loss(network, (images[chosen], labels[chosen]), decay)
            losses.append(loss.item())
            parts = torch.autograd.grad(loss, list(network.parameters()), allow_unused=True)
            yield torch.cat([part.flatten() for part in parts if part is not None])

    with undisturbed(network):
        network.requires_grad_(True)
        sample.prepare(network)
        noise = measure_noise(gradients(), size)
    row = {"loss": sum(losses) / whole, "variance": noise.trace / size, "trace": noise.trace}
    row |= {"gradient_squared": noise.squared_norm, "noise_scale": noise.scale}
    row |= {"images": whole * size, "batch_size": size}
    penalty = decay / 2 * sum(p.detach().square().sum().item() for p in network.parameters())
    row["learned"] = row["loss"] - penalty <= math.log(len(experiment.dataset.classes)) / 2
    return facts(experiment) | row


def match(rows: pd.DataFrame, level: float) -> pd.DataFrame:
    """Indices of the rows `plain` and `residual` with the nearest losses, a pair for each seed."""
    pairs = []
    untrained = bool((rows["step"] == 0).all())
    for key, group in rows[rows["learned"] | untrained].groupby(TWINS):
        plain, residual = group[~group["residual"]], group[group["residual"]]
        candidates = [
            (abs(math.log(a / b)), i, j)
            for i, a in plain["loss"].items()
            for j, b in residual["loss"].items()
            if all(0 < loss < math.inf for loss in (a, b))  # else no factor lies between them
        ]
        if candidates and min(candidates)[0] < math.log(level):
            pairs.append((*key, *min(candidates)[1:]))
    return pd.DataFrame(pairs, columns=[*TWINS, "plain", "residual"])


def _judged(pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs of one normalisation (batch norm, if there is any) and one depth.

    That is the greatest of those at which most seeds have a pair.
    """
    pairs = pairs[pairs["norm"] == pairs["norm"].min()]
    counts = pairs.groupby("depth").size()
    return pairs[pairs["depth"] == counts.index[counts == counts.max()].max()]


def _compare(rows: pd.DataFrame, pairs: pd.DataFrame, column: str) -> Inference | None:
    """Plain over residual; None without pairs, or where noise hides a residual net's gradient.

    A plain net's noise scale that is hidden counts as its least possible value.
    """
    at = _judged(pairs)
    plain, residual = (rows.loc[at[kind]] for kind in ("plain", "residual"))
    if not len(at) or residual[column].isna().any():
        return None
    first = plain[column].fillna(plain["images"])
    return ratio()(first.to_list(), residual[column].to_list())


def _verdict(variance: Inference | None, scale: Inference | None) -> ClaimVerdict:
    """Of "skips make the variance smaller"; the limit is one that is not smaller relative to G."""
    if variance is None or variance.answer is Answer.CANNOT_TELL:
        return ClaimVerdict.CANNOT_TELL
    if variance.answer is Answer.REVERSED:
        return ClaimVerdict.FALSE
    if variance.answer is Answer.NO:
        return ClaimVerdict.NOT_CONFIRMED
    relative = scale is not None and scale.answer is Answer.YES
    return ClaimVerdict.CONFIRMED if relative else ClaimVerdict.LIMITED


def _text(
    rows: pd.DataFrame,
    pairs: pd.DataFrame,
    variance: Inference | None,
    scale: Inference | None,
) -> str:
    found = "no twins with losses that are equal enough"
    if len(at := _judged(pairs)):
        plain, residual = rows.loc[at["plain"]], rows.loc[at["residual"]]
        found = (
            f"{len(at)} pairs of {at['depth'].iloc[0]} layers, mean loss {plain['loss'].mean():.3f}"
            f" plain (steps {_steps(plain)}) and {residual['loss'].mean():.3f} residual (steps"
            f" {_steps(residual)}); plain over residual: variance {said(variance)}, noise scale"
            f" {said(scale)}"
        )
        if hidden := int(plain["noise_scale"].isna().sum()):
            found += f", at least, as noise hides the gradient of {hidden} plain nets"
    return (
        "Claim: shortcuts make the variance of gradient estimates smaller. Measured: the variance"
        " of a batch's gradient, and relative to the gradient the noise scale tr(Sigma) / |G|^2,"
        f" at equal loss: {found}. Above 1 the plain network's is larger. Limit: losses are equal"
        " within a factor, and only at the steps that were looked at."
    )


def _steps(rows: pd.DataFrame) -> str:
    return ", ".join(str(step) for step in sorted(rows["step"].unique()))
