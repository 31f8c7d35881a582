"""Do tokens become one vector, features one direction? (Dong 2021, arXiv:2103.03404)"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from resx.analyses.analysis import ClaimVerdict, Finding
from resx.analyses.parts.collapse import NORMS, effective_rank, token_residual
from resx.analyses.parts.drawing import TWINS, draw_twins, shown_depths
from resx.analyses.parts.facts import at_first_step, facts, refuse_mixed
from resx.analyses.parts.hooks import block_outputs
from resx.analyses.parts.memory import BYTES, blank_images, refuse_too_large
from resx.analyses.parts.sample import Sample
from resx.analyses.parts.seeds import ratio
from resx.analyses.parts.undisturbed import undisturbed
from resx.analyses.parts.words import as_numbers, said
from resx.experiment import Experiment
from resx.inference import Answer
from resx.inference import Finding as Inference
from resx.plotting import PLAIN, RESIDUAL

RESOLUTION = 1e-6  # of a token residual in float32: what is smaller is rounding
MEASURE = "token residual after the last block, with both skips over with none (at least 1e-6)"
# Of other families than transformers residual networks are `both`, plain ones `none`.
SKIPS = {
    "both": RESIDUAL._replace(name="both skips"),
    "attention": RESIDUAL._replace(
        name="attention's skip", marker="^", line="-.", colour="#56b4e9"
    ),
    "mlp": PLAIN._replace(name="MLP's skip", marker="v", line=":", colour="#e69f00"),
    "none": PLAIN._replace(name="no skip"),
}


def rank(
    experiments: Sequence[Experiment],
    images: int = 128,
    split: str = "train",
    augment: bool = False,
    batch_norm: str = "train",
    norm: str = "composite",
) -> Finding:
    """Of tokens, how far they are from all being equal; the effective rank of tokens or features.

    `token_residual` is |X - 1 m^T| / |X| of an image's tokens X and their mean m, in the composite
    norm sqrt(|X|_1 |X|_inf) of the paper or in Frobenius's, the mean over images after the stem and
    every block. Other networks have features: X is images by features. Twins are skip=both,
    attention, mlp, none. Raises `ValueError` for options that do not exist.
    """
    if norm not in NORMS:
        raise ValueError(f"norm={norm}: must be one of {', '.join(NORMS)}")
    sample = Sample(split, images, batch_norm, augment=augment)
    refuse_mixed(experiments, apart=["norm", "model.skip"])
    for experiment in experiments:
        _refuse_too_large(experiment, sample.size(experiment))
    rows = pd.DataFrame([row for e in experiments for row in _rows(e, sample, norm)])
    tokens = rows["token_residual"].notna().all()
    column = "token_residual" if tokens else "effective_rank"
    last = rows[rows["block"] == rows.groupby(["family", "depth"])["block"].transform("max")]
    means = last.groupby(["skip", "norm", "depth", "step"])[column].mean()
    summary: dict[str, Any] = {"measure": column}
    for (skip, normalised, depth, step), value in means.items():
        summary[f"{skip}-{depth} norm {normalised} step {step}"] = round(float(value), 6)
    comparisons = _comparisons(last, column)
    summary |= {name: as_numbers(found) for name, found in comparisons.items()}
    figure = partial(_figure, rows, column)
    if not tokens:
        return Finding(rows, figure, summary, _text_of_features(means, comparisons))
    verdict = _verdict(comparisons)
    collapse = comparisons.get("both over none")
    effect, span = (collapse.effect, collapse.interval) if collapse else (None, None)
    text = _text_of_tokens(means, comparisons)
    return Finding(rows, figure, summary, text, "transformer", verdict, effect, span, MEASURE)


def _refuse_too_large(experiment: Experiment, images: int) -> None:
    """The outputs of all blocks are held, and one of them with twice the precision and its SVD."""
    network, blank = experiment.network, blank_images(experiment)
    with undisturbed(network), torch.no_grad(), block_outputs(network) as outputs:
        network.eval()(blank)
    sizes = [output.numel() / len(blank) for _, output in outputs]
    needed = BYTES * images * (sum(sizes) + 6 * max(sizes))
    what = f"images={images}: holding the outputs of all blocks of {network.title}"
    refuse_too_large(needed, experiment.device, what)


def _rows(experiment: Experiment, sample: Sample, norm: str) -> list[dict[str, Any]]:
    """A row for the stem (block 0) and for every block."""
    network, (images, _) = experiment.network, sample.of(experiment)
    with undisturbed(network), torch.no_grad(), block_outputs(network) as outputs:
        sample.prepare(network)
        network(images)
    usual = "both" if experiment.config.residual else "none"
    skip = experiment.config.model.get("skip", usual) if experiment.config.residual else usual
    rows = []
    for number, (name, output) in enumerate(outputs):
        tokens = output.ndim == 3
        x = output.double() if tokens else output.double().flatten(1)[None]
        residual = token_residual(x, norm).mean().item() if tokens else np.nan
        row = {"skip": skip, "block": number, "name": name, "token_residual": residual}
        row |= {"effective_rank": effective_rank(x).mean().item(), "largest": min(x.shape[1:])}
        rows.append(facts(experiment) | row)
    return rows


def _comparisons(last: pd.DataFrame, column: str) -> dict[str, Inference]:
    """Ratios after the last block, at the greatest depth and the first step of each network."""
    at = at_first_step(last[last["depth"] == last["depth"].max()])
    at = at[at["norm"] == at["norm"].min()]
    seeds = at.assign(value=at[column].clip(lower=RESOLUTION)).groupby(["skip", "seed"])["value"]
    arms = {skip: values for skip, values in seeds.mean().groupby("skip")}
    wanted = (("both", "none"), ("attention", "none"), ("mlp", "none"), ("attention", "mlp"))
    return {
        f"{a} over {b}": ratio()(list(arms[a]), list(arms[b]))
        for a, b in wanted
        if a in arms and b in arms
    }


def _verdict(comparisons: dict[str, Inference]) -> ClaimVerdict:
    """Of "tokens collapse towards rank one without skips, and the attention's skip matters most".

    The limit is that single skips were not compared, or that the attention's matters no more.
    """
    collapse = comparisons.get("both over none")
    if collapse is None or collapse.answer is Answer.CANNOT_TELL:
        return ClaimVerdict.CANNOT_TELL
    if collapse.answer is not Answer.YES:
        reversed_ = collapse.answer is Answer.REVERSED
        return ClaimVerdict.FALSE if reversed_ else ClaimVerdict.NOT_CONFIRMED
    single = comparisons.get("attention over mlp")
    more = single is not None and single.answer is Answer.YES
    return ClaimVerdict.CONFIRMED if more else ClaimVerdict.LIMITED


def _ratios(comparisons: dict[str, Inference]) -> str:
    return "; ".join(f"{name} {said(found)}" for name, found in comparisons.items()) or "none"


def _levels(means: pd.Series) -> str:
    return ", ".join(f"{skip}-{depth} {v:.3g}" for (skip, _, depth, _), v in means.items())


def _text_of_tokens(means: pd.Series, comparisons: dict[str, Inference]) -> str:
    return (
        "Claim: without shortcuts a transformer's tokens collapse towards rank one, and the"
        " attention's shortcut matters most. Measured: how far tokens are from all being equal,"
        " |X - 1 m^T| / |X| of the tokens X and their mean m, after the last block:"
        f" {_levels(means)}. Ratios of networks with these shortcuts, at the greatest depth:"
        f" {_ratios(comparisons)}. Limit: a residual below {RESOLUTION:g} is rounding of float32."
    )


def _text_of_features(means: pd.Series, comparisons: dict[str, Inference]) -> str:
    return (
        "No claim of the notes: only transformers have tokens. Measured: the effective rank of the"
        " features of all images after the last block, with shortcuts (both) and without (none):"
        f" {_levels(means)}. Ratios at the greatest depth: {_ratios(comparisons)}. Limit: the rank"
        " cannot be above the number of images."
    )


def _figure(rows: pd.DataFrame, column: str) -> Figure:
    """A column a depth: the token residual on a log axis, below it the effective rank.

    The grey line is the resolution of float32: below it residuals are rounding.
    """
    rows = at_first_step(rows[rows["norm"] == rows["norm"].min()])
    depths = shown_depths(rows)
    measures = list(dict.fromkeys((column, "effective_rank")))
    size = (max(4.5, 3 * len(depths)), 0.6 + 2.5 * len(measures))
    figure = Figure(figsize=size)
    grid = figure.subplots(len(measures), len(depths), squeeze=False, sharey="row")
    for line, measure in zip(grid, measures):
        for axes, depth in zip(line, depths):
            if measure == "token_residual":
                axes.set_yscale("log")
                axes.axhline(RESOLUTION, color="grey", linewidth=1, linestyle=":")
            looks = (SKIPS, "skip") if column == "token_residual" else (TWINS, "residual")
            draw_twins(axes, rows[rows["depth"] == depth], "block", measure, *looks)
            axes.set(xlabel="block", title=f"depth {depth}")
        line[0].set_ylabel(measure.replace("_", " "))
    grid[0][0].legend(fontsize=8)
    return figure
