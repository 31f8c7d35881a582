"""How strongly blocks respond: the standard deviation of F(x) (He 2015, arXiv:1512.03385)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from resx.analyses.analysis import Finding
from resx.experiment import Experiment
from resx.plotting import LOOKS, shades

CLAIM = "The deeper the residual net, the less each block changes its input (He 2015, Sec. 4.2)."


def responses(experiments: Sequence[Experiment], images: int = 512) -> Finding:
    """Of every block's branch, before the addition, over the first `images` training images.

    In evaluation mode. He 2015, Fig. 7, shows the outputs of 3x3 layers after batch norm: of these
    a basic block's branch ends in every second. Raises `ValueError` for a network without blocks.
    """
    rows = pd.DataFrame([row for e in experiments for row in _rows(e, images)])
    means = rows.groupby(["residual", "depth"])["std"].mean()
    summary = {
        f"{'residual' if residual else 'plain'}-{depth}": round(float(value), 6)
        for (residual, depth), value in means.items()
    }
    numbers = ", ".join(f"{name} {value:.3f}" for name, value in summary.items())
    text = f"{CLAIM} Mean standard deviation of a branch: {numbers}."
    return Finding(rows, partial(_figure, rows), summary, text)


def _rows(experiment: Experiment, images: int) -> list[dict[str, Any]]:
    """A row a block, from the stem to the head."""
    config, network = experiment.config, experiment.network
    batches = experiment.dataset.evaluation_batches("train_clean", images)
    x = next(iter(batches))[0][:images]
    with _branch_outputs(network) as outputs:
        was_training = network.training
        with torch.no_grad():
            network.eval()(x)
        network.train(was_training)
    if not outputs:
        raise ValueError(f"{network.title}: has no blocks with a branch")
    known = {"depth": config.depth, "residual": config.residual, "seed": config.seed}
    return [
        known | {"block": number, "name": name, "std": std}
        for number, (name, std) in enumerate(outputs, start=1)
    ]


@contextmanager
def _branch_outputs(network: nn.Module) -> Iterator[list[tuple[str, float]]]:
    """Name and standard deviation of each branch's output, in the order in which they run."""
    outputs: list[tuple[str, float]] = []

    def keep(name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            outputs.append((name, output.float().std().item()))

        return hook

    named = [(n, m.branch) for n, m in network.named_modules() if hasattr(m, "branch")]
    handles = [branch.register_forward_hook(keep(name)) for name, branch in named]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def _figure(rows: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(9, 3.4))
    axes = figure.subplots(1, 2, sharey=True)
    depths = sorted(rows["depth"].unique())
    for axis, look in zip(axes, LOOKS):
        for depth, colour in zip(depths, shades(len(depths))):
            curve = rows[(rows["depth"] == depth) & (rows["residual"] == look.residual)]
            means = curve.groupby("block")["std"].mean()
            if len(means):
                axis.plot(means.index, means, look.line, color=colour, label=str(depth))
        axis.set(title=look.name, xlabel="block")
        if axis.get_legend_handles_labels()[0]:
            axis.legend(title="depth", fontsize=8)
    axes[0].set_ylabel("std of F(x)")
    return figure
