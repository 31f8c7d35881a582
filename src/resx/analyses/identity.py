"""Is F(x) = 0 easier to learn than F(x) = x? (notes, 2.2; He 2015, arXiv:1512.03385, Sec. 3.1)"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from resx.analyses.analysis import ClaimVerdict, Finding
from resx.analyses.lesson import EVERY, keeping_blocks, largest_input, learn_identity
from resx.analyses.looking import looking
from resx.analyses.memory import refuse_too_large
from resx.analyses.passing import first_images, known, named
from resx.experiment import Experiment
from resx.inference import Answer, Rules, median_steps, slower
from resx.inference import Finding as Inference
from resx.models.building import build_network
from resx.plotting import LOOKS

RULES = Rules(chance=1.0)  # steps are level within the factor 1.5; chance plays no part


def identity(
    experiments: Sequence[Experiment],
    images: int = 512,
    steps: int = 1000,
    lr: float = 0.01,
    threshold: float = 0.01,
) -> Finding:
    """A fresh block of each kind learns to give back its input; then, of the given weights, |F|.

    The block is the first that keeps its input's shape, with the first weights of the network's
    seed; its input are the stem's features of `images` training images. Adam (Kingma and Ba 2015)
    lowers |block(x) - x|^2 / |x|^2 for `steps` steps; the claim is judged by the steps until that
    is `threshold`. Of every such block of the experiments' own weights, |F(x)| / |x| and
    |block(x) - x| / |x| say how far it is from doing nothing. Raises `ValueError` for a network
    without such a block.
    """
    for name, value in (("images", images), ("steps", steps)):
        if value < 1:
            raise ValueError(f"{name}={value}: must be at least 1")
    sizes = [row for e in experiments for row in _sizes(e, images)]
    # Depth does not change the first block: twins of all depths share one lesson a seed.
    pupils = {(e.config.residual, e.config.seed): e for e in experiments}
    lessons = [row for e in pupils.values() for row in _lesson(e, images, steps, lr, threshold)]
    rows = pd.DataFrame(lessons + sizes)
    judged = rows[(rows["kind"] == "lesson") & (rows["lesson_step"] == 0)]
    plain, residual = (judged[judged["residual"] == k]["reached"].tolist() for k in (False, True))
    found = slower(plain, residual, RULES, EVERY) if plain and residual else None
    return Finding(
        rows,
        partial(_figure, rows, threshold),
        _summary(rows, steps),
        _text(rows, found, steps, threshold),
        claim="identity",
        verdict=_verdict(found),
        effect=found.effect if found else None,
        interval=found.interval if found else None,
        measure=f"steps to learn the identity to {threshold:.0%}, plain over residual block",
    )


def _sizes(experiment: Experiment, images: int) -> Iterator[dict[str, Any]]:
    """A row a block of the experiment's own weights."""
    network, device = experiment.network, experiment.device
    x = torch.cat(list(first_images(experiment, images)))
    needed = 2 * 4 * len(x) * largest_input(network, x[:1]) * len(list(network.blocks()))
    refuse_too_large(needed, device, f"images={images}: holding the inputs of all blocks")
    for number, (name, block, features) in enumerate(keeping_blocks(network, x), start=1):
        branches: list[Tensor] = []

        def keep(_: Tensor, output: Tensor, into: list[Tensor] = branches) -> None:
            into.append(output.clone())

        assert isinstance(block.branch, nn.Module)
        with looking(block, [(block.branch, keep)]):
            output = block(features.clone())
        norm = features.norm()
        yield known(experiment) | {
            "kind": "size",
            "block": number,
            "name": name,
            "size": (branches[0].norm() / norm).item(),
            "distance": ((output - features).norm() / norm).item(),
        }


def _lesson(
    experiment: Experiment, images: int, steps: int, lr: float, threshold: float
) -> list[dict[str, Any]]:
    """A row a record: the block learns on batches that are drawn by the network's seed."""
    config, data = experiment.config, experiment.dataset
    shape = (len(data.classes), data.channels, data.image_size)
    fresh = build_network(config, *shape, experiment.device)
    kept = keeping_blocks(fresh, torch.cat(list(first_images(experiment, images))))
    if not kept:
        raise ValueError(f"{fresh.title}: no block keeps the shape of its input")
    name, block, features = kept[0]
    errors = learn_identity(block, features, steps, lr, config.seed)
    reached = next((step for step, error in errors.items() if error <= threshold), None)
    common = known(experiment) | {"kind": "lesson", "name": name, "step": 0, "reached": reached}
    return [common | {"lesson_step": step, "error": error} for step, error in errors.items()]


def _verdict(found: Inference | None) -> ClaimVerdict:
    if found is None or found.answer is Answer.CANNOT_TELL:
        return ClaimVerdict.CANNOT_TELL
    return ClaimVerdict.CONFIRMED if found.answer is Answer.YES else ClaimVerdict.NOT_CONFIRMED


def _final(rows: pd.DataFrame, residual: bool) -> pd.DataFrame:
    lessons = rows[(rows["kind"] == "lesson") & (rows["residual"] == residual)]
    return lessons[lessons["lesson_step"] == lessons["lesson_step"].max()]


def _summary(rows: pd.DataFrame, steps: int) -> dict[str, Any]:
    summary: dict[str, Any] = {}
    for look in LOOKS:
        final = _final(rows, look.residual)
        if len(final):
            median = median_steps(final["reached"].tolist(), steps).median
            summary[f"{look.name} block"] = {"steps": median, "error": final["error"].median()}
    sizes = rows[rows["kind"] == "size"]
    for (residual, depth, step), group in sizes.groupby(["residual", "depth", "step"]):
        numbers = {"|F(x)|/|x|": group["size"].mean(), "|block(x)-x|/|x|": group["distance"].mean()}
        summary[f"{named(residual, depth)} at step {step}"] = numbers
    return summary


def _text(rows: pd.DataFrame, found: Inference | None, steps: int, threshold: float) -> str:
    parts = []
    for look in LOOKS:
        final = _final(rows, look.residual)
        if len(final):
            told = median_steps(final["reached"].tolist(), steps)
            median = "never" if told.median is None else f"after {told.median:.0f} steps"
            last = f"median error after {steps} steps {final['error'].median():.2g}"
            parts.append(f"a {look.name} block {median} ({told.arrived} of {told.n} seeds; {last})")
    sizes = rows[rows["kind"] == "size"]
    own = [
        f"{named(residual, depth)} {group['size'].mean():.2f} and {group['distance'].mean():.2f}"
        for (residual, depth), group in sizes[sizes["step"] == sizes["step"].max()].groupby(
            ["residual", "depth"]
        )
    ]
    answer = f" Is the plain block slower? {str(found.answer).capitalize()}." if found else ""
    return (
        f"Learning to give back its input, to a relative squared error of {threshold:.0%}:"
        f" {'; '.join(parts)}.{answer} What the notes prove is trivial: the gradient of |F|^2 is"
        " zero wherever F is. Of the networks' own weights, the mean of |F(x)| / |x| and of"
        f" |block(x) - x| / |x| over blocks: {', '.join(own)}."
    )


def _figure(rows: pd.DataFrame, threshold: float) -> Figure:
    figure = Figure(figsize=(9, 3.6))
    left, right = figure.subplots(1, 2)
    sizes = rows[rows["kind"] == "size"]
    sizes = sizes[sizes["step"] == sizes["step"].max()]
    for look in LOOKS:
        lessons = rows[(rows["kind"] == "lesson") & (rows["residual"] == look.residual)]
        for seed, curve in lessons.groupby("seed"):
            label = look.name if seed == lessons["seed"].min() else None
            x, y = curve["lesson_step"], curve["error"].clip(lower=1e-12)
            left.plot(x, y, look.line, color=look.colour, label=label)
        for depth, net in sizes[sizes["residual"] == look.residual].groupby("depth"):
            means = net.groupby("block")["distance"].mean()
            place = (means.index - 1) / max(len(means) - 1, 1)
            alpha = 1.0 if depth == sizes["depth"].max() else 0.45
            style: dict[str, Any] = {"color": look.colour, "marker": look.marker, "alpha": alpha}
            right.plot(place, means, look.line, markersize=3, label=f"{look.name}-{depth}", **style)
    left.axhline(threshold, color="grey", linewidth=0.8)
    left.set(yscale="log", xlabel="step", ylabel=r"$|block(x)-x|^2\,/\,|x|^2$")
    left.set_title("one block learns the identity")
    right.set(xlabel="place of the block (0 first, 1 last)", ylabel=r"$|block(x)-x|\,/\,|x|$")
    right.set(title="blocks of the given weights", ylim=(0, None))
    left.legend(fontsize=8)
    right.legend(fontsize=7)
    return figure
