"""Do blocks refine what they are given? Probes, directions, similarity (arXiv:1710.04773)."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from resx.analyses.analysis import ClaimVerdict, Finding
from resx.analyses.features import cosine, linear_cka, passages, pooled
from resx.analyses.sample import Sample, error_on, identity
from resx.analyses.twins import Comparison, compare_twins, deciding, learned, ratio, sentence
from resx.analyses.undisturbed import undisturbed
from resx.experiment import Experiment
from resx.inference import Answer
from resx.plotting import LOOKS, shades
from resx.statistics import Estimate, estimate

CLAIM = "Blocks refine features and keep earlier ones (the notes, 4.3 and 7.2)."
MARGIN = 1.05  # similarities within this factor of each other are level
PANELS = {
    "probe_error": "probe error, %",
    "cosine": "cos(F(x), -dL/dx)",
    "cka": "CKA with the input",
}


def refinement(
    experiments: Sequence[Experiment],
    split: str = "test",
    images: int = 256,
    probe_images: int = 512,
    probe_strength: float = 1.0,
    batch_norm: str = "evaluation",
) -> Finding:
    """Of every block: a linear probe's error, the direction of F(x), and what is kept of x.

    A logistic regression on pooled features (Alain and Bengio 2016, arXiv:1610.01644) of
    `probe_images` training images, with scikit-learn's C = `probe_strength`, is judged on `images`
    of `split`. On these too: the cosine of F(x) with -dL/dx, positive if a block descends the loss
    (Jastrzebski 2018), and linear CKA of a block's output with its input (Kornblith 2019). Of a
    plain block F(x) is its output less its input.
    """
    if probe_strength <= 0:
        raise ValueError(f"probe_strength={probe_strength}: must be positive")
    sample = Sample(split, images, batch_norm)
    probed = Sample("train", probe_images, batch_norm)
    rows = pd.DataFrame(
        row for e in experiments for row in _measure(e, sample, probed, probe_strength)
    )
    options = sample.options | {"probe_images": probe_images, "probe_strength": probe_strength}
    return _conclude(rows, options)


def _measure(
    experiment: Experiment, sample: Sample, probed: Sample, strength: float
) -> list[dict[str, Any]]:
    """A row a block, from the stem to the head."""
    network, known = experiment.network, identity(experiment)
    test, train = sample.of(experiment), probed.of(experiment)
    with undisturbed(network):
        sample.prepare(network)
        whole = error_on(network, test)
        at_test, at_train = passages(network, test), passages(network, train)
    known |= {"error": whole, "learned": learned(whole, len(experiment.dataset.classes))}
    rows = []
    for number, (tested, trained) in enumerate(zip(at_test, at_train), start=1):
        features = pooled(trained.output), pooled(tested.output)
        row = {"block": number, "name": tested.name, "keeps_shape": tested.keeps_shape}
        row["probe_error"] = probe_error(features, (train[1], test[1]), strength)
        if tested.added is not None:
            row["cosine"] = cosine(tested.added, -tested.gradient)
            row["size"] = float(tested.added.norm() / tested.x.norm())
        rows.append(known | row | {"cka": linear_cka(tested.x, tested.output)})
    return rows


def probe_error(
    features: tuple[Tensor, Tensor], labels: tuple[Tensor, Tensor], strength: float
) -> float:
    """Of a logistic regression fitted to the first of two sets and judged on the second."""
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=5000))
    probe.fit(features[0].double().cpu().numpy(), labels[0].cpu().numpy())
    return 1 - float(probe.score(features[1].double().cpu().numpy(), labels[1].cpu().numpy()))


def _conclude(rows: pd.DataFrame, options: dict[str, Any]) -> Finding:
    kept = rows[rows["keeps_shape"]]
    keys = ["depth", "residual", "seed", "learned"]
    table = kept.groupby(keys, as_index=False)[["cosine", "cka", "size"]].mean()
    similar = compare_twins(table, "cka", ratio(MARGIN))
    downhill = _downhill(table)
    depth = max(downhill, default=None)
    verdict = _judge(downhill, similar, rows)
    low_to_high = _summary(rows)
    cosines = "; ".join(f"{d}: {_in_words(e)}" for d, e in downhill.items()) or "none has learned"
    text = (
        f"{CLAIM} Cosine of F(x) with -dL/dx in residual blocks that keep the shape, by depth:"
        f" {cosines}. CKA of such a block's output with its input, plain over residual, by depth:"
        f" {sentence(similar)}. Change of the probe's error from the first block to the last, in"
        f" points: {_probes(low_to_high)}. Across a change of shape residual CKA is"
        f" {_across(rows):.2f}: features are kept within a stage."
    )
    chosen = downhill.get(depth) if depth is not None else None
    return Finding(
        rows,
        partial(_figure, rows),
        low_to_high | {"options": options},
        text,
        claim="refinement",
        verdict=verdict,
        effect=chosen.mean if chosen else None,
        interval=(chosen.low, chosen.high) if chosen and chosen.has_interval else None,
        measure="cosine of F(x) with -dL/dx, residual blocks that keep the shape"
        + (f", depth {depth}" if chosen else ""),
    )


def _downhill(table: pd.DataFrame) -> dict[int, Estimate]:
    """The mean cosine of residual nets that have learned, over seeds, by depth."""
    arms = table[table["residual"] & table["learned"]].dropna(subset="cosine").groupby("depth")
    return {int(depth): estimate(arm["cosine"].to_list()) for depth, arm in arms}  # type: ignore[call-overload]


def _judge(
    downhill: dict[int, Estimate], similar: Sequence[Comparison], rows: pd.DataFrame
) -> ClaimVerdict:
    """Refined: the cosine's interval is above 0 at the greatest depth. Kept: CKA above plain's.

    Both hold within a stage only, which is the limit, unless features pass a change of shape, too.
    """
    last = downhill[max(downhill)] if downhill else None
    kept = deciding(similar)
    if last is None or not last.has_interval or kept is None:
        return ClaimVerdict.CANNOT_TELL
    if not (last.excludes_zero and last.mean > 0) or kept.finding.answer is Answer.YES:
        return ClaimVerdict.NOT_CONFIRMED
    if kept.finding.answer is not Answer.REVERSED:
        return ClaimVerdict.LIMITED
    within = rows[rows["residual"] & rows["keeps_shape"]]["cka"].mean()
    return ClaimVerdict.LIMITED if _across(rows) < within else ClaimVerdict.CONFIRMED


def _across(rows: pd.DataFrame) -> float:
    return float(rows[rows["residual"] & ~rows["keeps_shape"]]["cka"].mean())


def _summary(rows: pd.DataFrame) -> dict[str, Any]:
    summary: dict[str, Any] = {}
    for (residual, depth), arm in rows.groupby(["residual", "depth"]):
        errors = arm.groupby("block")["probe_error"].mean()
        kept = arm[arm["keeps_shape"]]
        entry = {"error": arm["error"].mean(), "cosine": kept["cosine"].mean()}
        entry |= {"size": kept["size"].mean(), "cka": kept["cka"].mean()}
        entry |= {"first_probe": errors.iloc[0], "last_probe": errors.iloc[-1]}
        # How steadily the error falls from block to block: 1 if it never rises.
        entry["blocks_that_do_not_rise"] = float((errors.diff().dropna() <= 0).mean())
        name = f"{'residual' if residual else 'plain'}-{depth}"
        summary[name] = {k: round(float(v), 6) for k, v in entry.items() if pd.notna(v)}
    return summary


def _probes(summary: dict[str, Any]) -> str:
    changes = {n: 100 * (e["last_probe"] - e["first_probe"]) for n, e in summary.items()}
    return "; ".join(f"{name} {change:+.1f}" for name, change in changes.items())


def _in_words(e: Estimate) -> str:
    return f"{e.mean:.3f}" + (f" [{e.low:.3f}, {e.high:.3f}]" if e.has_interval else "")


def _figure(rows: pd.DataFrame) -> Figure:
    depths = sorted(rows["depth"].unique())
    figure = Figure(figsize=(7.5, 7.5))
    axes = figure.subplots(3, 2, sharex=True, sharey="row")
    for line, (column, name) in zip(axes, PANELS.items()):
        line[0].set_ylabel(name)
        for axis, look in zip(line, LOOKS):
            for depth, shade in zip(depths, shades(len(depths))):
                arm = rows[(rows["depth"] == depth) & (rows["residual"] == look.residual)]
                means = arm.groupby("block")[column].mean().dropna()
                scale = 100 if column.endswith("error") else 1
                place = means.index / max(arm["block"].max(), 1)
                style = f"{look.marker}{look.line}"
                axis.plot(place, scale * means, style, color=shade, markersize=3, label=str(depth))
    for axis, look in zip(axes[0], LOOKS):
        axis.set_title(look.name)
        axis.legend(title="depth", fontsize=8)
    for axis in axes[1]:
        axis.axhline(0, color="0.5", linewidth=0.8)
    for axis in axes[-1]:
        axis.set(xlabel="block / number of blocks", ylim=(None, 1.02))
    return figure
