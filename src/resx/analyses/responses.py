"""How strongly layers respond and blocks change their input (He 2015, arXiv:1512.03385, Fig. 7)."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resx.analyses.analysis import ClaimVerdict, Finding
from resx.analyses.parts.facts import at_last_step, refuse_mixed
from resx.analyses.parts.layer_responses import response_rows
from resx.analyses.parts.memory import refuse_large_pass
from resx.analyses.parts.sample import BATCH
from resx.analyses.parts.seeds import ratio
from resx.analyses.parts.twins import deepest
from resx.analyses.parts.words import name_of, said
from resx.experiment import Experiment
from resx.inference import Answer
from resx.inference import Finding as Inference
from resx.plotting import LOOKS, shades
from resx.reference.published import published_responses

LEVEL = 1.1  # mean responses are level within a tenth
COMPARE = ratio(LEVEL, questions=2)  # smaller than the twin's, or smaller with depth
STATISTICS = ("mean", "median", "min", "max")


def responses(experiments: Sequence[Experiment], images: int = 512) -> Finding:
    """Standard deviations of layers' outputs and |F(x)| / |x| of blocks, in evaluation mode.

    As in He 2015, Fig. 7, the response of a layer of a branch is its output after the norm that
    follows it, if one does, before ReLU or addition, over the first `images` training images. Of a
    block, |F(x)| / |x| is the mean over images of the branch's norm over that of its input.
    Raises `ValueError` for a network without blocks.
    """
    if images < 1:
        raise ValueError(f"images={images}: must be at least 1")
    refuse_mixed(experiments)
    for experiment in experiments:
        refuse_large_pass(experiment, min(images, BATCH), f"images={images}: a pass")
    rows = pd.DataFrame([row for e in experiments for row in response_rows(e, images)])
    trained = at_last_step(rows)
    layers, blocks = (trained[trained["kind"] == kind] for kind in ("layer", "block"))
    twins, falls = _twins(layers), _falls(layers)
    deciding = twins or falls
    kind = "residual over plain twin" if twins else "deepest over shallowest residual net"
    return Finding(
        rows,
        partial(_figure, layers),
        _summary(layers, blocks),
        _text(layers, twins, falls),
        claim="identity",
        verdict=_verdict(twins, falls),
        effect=deciding.effect if deciding else None,
        interval=deciding.interval if deciding else None,
        measure=f"mean response, {kind}",
    )


def _by_seed(layers: pd.DataFrame, residual: bool, depth: int) -> list[float]:
    """The mean over layers of each seed: seeds are independent, layers are not."""
    chosen = layers[(layers["residual"] == residual) & (layers["depth"] == depth)]
    return list(chosen.groupby("seed")["std"].mean())


def _depths(layers: pd.DataFrame, residual: bool) -> list[int]:
    return sorted(set(layers[layers["residual"] == residual]["depth"]))


def _twins(layers: pd.DataFrame) -> Inference | None:
    """Residual over plain at the greatest depth of which there are both."""
    if (depth := deepest(layers)) is None:
        return None
    return COMPARE(_by_seed(layers, True, depth), _by_seed(layers, False, depth))


def _falls(layers: pd.DataFrame) -> Inference | None:
    """The deepest residual network over the shallowest."""
    depths = _depths(layers, True)
    if len(depths) < 2:
        return None
    return COMPARE(_by_seed(layers, True, depths[-1]), _by_seed(layers, True, depths[0]))


def _verdict(twins: Inference | None, falls: Inference | None) -> ClaimVerdict:
    """Confirmed where residual layers respond less than plain ones, and the less the deeper.

    Not confirmed where either is the other way round.
    """
    answers = [finding.answer for finding in (twins, falls) if finding is not None]
    if answers == [Answer.REVERSED, Answer.REVERSED]:
        return ClaimVerdict.CONFIRMED
    if Answer.YES in answers:
        return ClaimVerdict.NOT_CONFIRMED
    if Answer.REVERSED in answers:
        return ClaimVerdict.LIMITED
    if Answer.CANNOT_TELL in answers or not answers:
        return ClaimVerdict.CANNOT_TELL
    return ClaimVerdict.NOT_CONFIRMED


def _text(layers: pd.DataFrame, twins: Inference | None, falls: Inference | None) -> str:
    named_findings = {
        "residual over plain twin": twins,
        "deepest over shallowest residual net": falls,
    }
    ratios = [f"{name} {said(found)}" for name, found in named_findings.items() if found]
    published = published_responses().query("statistic == 'mean'")
    printed = {name_of(r.residual, r.depth): r.value for r in published.itertuples()}
    means = layers.groupby(["residual", "depth"])["std"].mean()
    ours = []
    for (residual, depth), value in means.items():
        name = name_of(residual, depth)
        ours.append(f"{name} {value:.2f}" + (f" ({printed[name]})" if name in printed else ""))
    return (
        "Claim: residual functions are nearer to zero than plain ones, and the nearer the deeper"
        " the network (He 2015, Sec. 4.2). Measured: ratios of the mean response of layers, level"
        f" within {100 * (LEVEL - 1):.0f} %: {'; '.join(ratios) or 'no twins and no two depths'}."
        " Mean standard deviations of the layers' responses, in brackets those of He 2015, Fig. 7,"
        f" trained on CIFAR-10: {', '.join(ours)}. Limit: a response that is small after the norm"
        " says nothing of how easily zero was learned."
    )


def _summary(layers: pd.DataFrame, blocks: pd.DataFrame) -> dict[str, Any]:
    """By network the statistics over layers of means over seeds; He's of Fig. 7 beside them."""
    summary: dict[str, Any] = {}
    for (residual, depth), group in layers.groupby(["residual", "depth"]):
        curve = group.groupby("name")["std"].mean()
        statistics = {name: float(curve.agg(name)) for name in STATISTICS}
        own = blocks[(blocks["residual"] == residual) & (blocks["depth"] == depth)]
        statistics["norm of F(x) over norm of x"] = float(own["ratio"].mean())
        summary[name_of(residual, depth)] = statistics
    printed: dict[str, dict[str, float]] = {}
    for row in published_responses().itertuples():
        printed.setdefault(name_of(row.residual, row.depth), {})[str(row.statistic)] = row.value
    return summary | {"published": printed}


def _figure(layers: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(10, 3.6))
    axes = figure.subplots(1, 3, sharey=True, width_ratios=(2, 2, 1.2))
    depths = sorted(layers["depth"].unique())
    for axis, look in zip(axes, LOOKS):
        for depth, colour in zip(depths, shades(len(depths))):
            curve = layers[(layers["depth"] == depth) & (layers["residual"] == look.residual)]
            means = curve.groupby("name", sort=False)["std"].mean()
            if len(means):
                style = {"color": colour, "label": str(depth)}
                axis.plot(range(1, len(means) + 1), means, look.line, **style)
        axis.set(title=look.name, xlabel="layer")
        if axis.get_legend_handles_labels()[0]:
            axis.legend(title="depth", fontsize=8)
    axes[0].set(ylabel="standard deviation of the response", ylim=(0, None))
    _draw_means(axes[2], layers)
    return figure


def _draw_means(axis: Axes, layers: pd.DataFrame) -> None:
    """Means against depth, filled; He's, hollow."""
    published = published_responses().query("statistic == 'mean'")
    means = layers.groupby(["residual", "depth"])["std"].mean().reset_index()
    for look in LOOKS:
        style: dict[str, Any] = {"color": look.colour, "marker": look.marker}
        style["linestyle"] = look.line
        ours, theirs = (t[t["residual"] == look.residual] for t in (means, published))
        axis.plot(ours["depth"], ours["std"], label=look.name, **style)
        hollow = {"markerfacecolor": "none", "alpha": 0.6, "label": f"{look.name}, He 2015"}
        axis.plot(theirs["depth"], theirs["value"], **(style | hollow))
    axis.set(title="mean over layers", xlabel="depth")
    axis.legend(fontsize=7)
