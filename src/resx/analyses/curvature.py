"""How curved the loss is at the weights: eigenvalues, trace and density of its Hessian."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from scipy.stats import norm

from resx.analyses.analysis import Finding
from resx.analyses.hessian import Hessian, hutchpp, lanczos, signs
from resx.analyses.sample import Sample, error_on, identity
from resx.analyses.twins import compare_twins, deciding, judge_all, learned, ratio, sentence
from resx.analyses.undisturbed import undisturbed
from resx.experiment import Experiment
from resx.inference import Answer
from resx.plotting import LOOKS
from resx.reference.published import published_rows
from resx.seeding import generator

CLAIM = "Skips make the Hessian better conditioned (the notes, 4.2 and 7.1)."
MARGIN = 1.5  # numbers within this factor of each other are level
NUMBERS = {
    "negative_share": "|lowest eigenvalue| / top",
    "trace": "trace",
    "top": "top eigenvalue",
}
YES = Answer.YES
WIDTH = 0.2  # of an eigenvalue's bump, in units in which a factor of e is 1 wide


def curvature(
    experiments: Sequence[Experiment],
    split: str = "train",
    images: int = 100,
    batch: int = 200,
    steps: int = 18,
    sketches: int = 4,
    stage_steps: int = 5,
    batch_norm: str = "evaluation",
    weight_decay: bool = False,
    augment: bool = False,
    seed: int = 0,
) -> Finding:
    """Of the mean cross-entropy, as PyHessian has it (arXiv:1912.07145): in evaluation mode.

    `steps` products with the Hessian give the extreme eigenvalues and the density, 3 * `sketches`
    the trace, `stage_steps` the top eigenvalue of the diagonal block of each stage. A Hessian with
    flat directions has no condition number, so three numbers stand for it: |lowest| / top
    eigenvalue, Li 2018's measure of how far the loss is from convex (Sec. 6.1), trace, and top.
    """
    for name, value, least in (("steps", steps, 2), ("sketches", sketches, 1), ("batch", batch, 1)):
        if value < least:
            raise ValueError(f"{name}={value}: must be at least {least}")
    sample = Sample(split, images, batch_norm, weight_decay, augment)
    measured = [_measure(e, sample, batch, steps, sketches, stage_steps, seed) for e in experiments]
    rows = pd.DataFrame([row for rows in measured for row in rows])
    whole = rows[rows["part"] == "network"]
    options = {"steps": steps, "sketches": sketches, "stage_steps": stage_steps, "seed": seed}
    return _conclude(rows, whole, sample.options | options)


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
    network, known = experiment.network, identity(experiment)
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


def _conclude(rows: pd.DataFrame, whole: pd.DataFrame, options: dict[str, Any]) -> Finding:
    whole = whole.assign(learned=whole["learned"].astype(bool))
    compared = {c: compare_twins(whole, c, ratio(MARGIN), untrained=True) for c in NUMBERS}
    numbers = whole.groupby(["residual", "depth"])[[*NUMBERS, "lowest", "error"]].median()
    summary: dict[str, Any] = {
        f"{'residual' if residual else 'plain'}-{depth}": {
            str(name): float(f"{value:.6g}") for name, value in line.items()
        }
        for (residual, depth), line in numbers.iterrows()
    }
    text = f"{CLAIM} Plain over residual, by depth: " + ". ".join(
        f"{name.capitalize()} {sentence(compared[column])}" for column, name in NUMBERS.items()
    )
    published = published_rows("PYH-F2")
    text += f". Beside it, not verified: {_published(published)}."
    verdict = judge_all(list(compared.values()))
    # What the verdict rests on; the first of them if it rests on none.
    found = [(n, c) for n, c in compared.items() if (d := deciding(c)) and d.finding.answer is YES]
    name, comparisons = (found or list(compared.items()))[0]
    chosen = deciding(comparisons)
    return Finding(
        rows,
        partial(_figure, rows, whole),
        summary | {"options": options},
        text,
        claim="curvature",
        verdict=verdict,
        effect=chosen.finding.effect if chosen else None,
        interval=chosen.finding.interval if chosen else None,
        measure=f"{NUMBERS[name]}, plain over residual"
        + (f", depth {chosen.depth}" if chosen else ""),
    )


def _published(table: pd.DataFrame) -> str:
    """What PyHessian's paper reports of the trace, as data that was not read in the paper."""
    values = [f"{row.variant} {float(row.value):g}" for row in table.itertuples()]
    return f"the trace in PyHessian's Fig. 2 (CIFAR-10) is about {', '.join(values)}"


def _figure(rows: pd.DataFrame, whole: pd.DataFrame) -> Figure:
    depths = sorted(whole["depth"].unique())
    shown = depths if len(depths) <= 3 else [depths[0], depths[len(depths) // 2], depths[-1]]
    figure = Figure(figsize=(8.4, 5.8))
    above, below = figure.subfigures(2, 1)
    # One scale for all depths, so that what grows with depth is seen to grow.
    densities = above.subplots(1, len(shown), sharex=True, sharey=True, squeeze=False)[0]
    unit = max(float(whole["lowest"].abs().median()), 1e-6)
    ends = np.arcsinh(rows["value"] / unit)
    grid = np.linspace(ends.min() - 1, ends.max() + 1, 600)
    for axis, depth in zip(densities, shown):
        _draw_density(axis, rows[rows["depth"] == depth], grid, unit)
        axis.set(title=f"depth {depth}", xlabel="eigenvalue")
    densities[0].set_ylabel("density")
    densities[0].legend(fontsize=8, loc="upper right")
    for axis, (column, name) in zip(below.subplots(1, 3), NUMBERS.items()):
        for look in LOOKS:
            arm = whole[(whole["residual"] == look.residual) & (whole[column] > 0)]
            axis.plot(arm["depth"], arm[column], look.marker, color=look.colour, alpha=0.4)
            middle = arm.groupby("depth")[column].median()
            axis.plot(middle.index, middle, look.line, color=look.colour, label=look.name)
        axis.set(title=name, xlabel="depth", yscale="log", xticks=depths)
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter(NullFormatter())
    return figure


def _draw_density(axis: Axes, rows: pd.DataFrame, grid: np.ndarray, unit: float) -> None:
    """Bumps on a scale that is linear up to `unit` and logarithmic beyond, the mean of all seeds.

    Each is as wide in print as the others: in the far tail single eigenvalues stay visible.
    """
    points = rows[rows["part"] == "density"]
    for look in LOOKS:
        arm = points[points["residual"] == look.residual]
        if len(arm):
            places = np.arcsinh(arm["value"].to_numpy() / unit)
            bumps = norm.pdf(grid[:, None], places, WIDTH)
            density = bumps @ arm["weight"].to_numpy() / arm["seed"].nunique()
            axis.plot(unit * np.sinh(grid), density, look.line, color=look.colour, label=look.name)
    largest = float(unit * np.sinh(grid[-1]))
    powers = np.arange(np.ceil(np.log10(unit)), np.ceil(np.log10(largest)))[::-2][::-1]
    smallest = float(unit * np.sinh(grid[0]))
    ticks = [-(10.0**p) for p in powers if -(10.0**p) > smallest] + [0, *(10.0**powers)]
    axis.set_xscale("asinh", linear_width=unit)
    axis.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axis.set(yscale="log", ylim=(1e-7, 3))
