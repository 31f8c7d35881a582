"""Do blocks refine the features they are given? (Jastrzebski 2018, arXiv:1710.04773)"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd

from resx.analyses.analysis import ClaimVerdict, Finding
from resx.analyses.parts.additions import refuse_unless_added
from resx.analyses.parts.block_features import block_rows, refuse_too_many
from resx.analyses.parts.facts import NETWORK, at_last_step, refuse_mixed
from resx.analyses.parts.sample import Sample
from resx.analyses.parts.seeds import mean, ratio
from resx.analyses.parts.twins import (
    Comparison,
    compare_twins,
    deciding,
    evidence,
    judge,
    sentence,
)
from resx.analyses.parts.words import name_of, rounded, said
from resx.analyses.refinement_figure import refinement_figure
from resx.experiment import Experiment
from resx.inference import Answer
from resx.inference import Finding as Inference

MARGIN = 1.5  # changes within this factor of each other are level


def refinement(
    experiments: Sequence[Experiment],
    split: str = "test",
    images: int = 256,
    probe_images: int = 512,
    probe_strength: float = 1.0,
    batch_norm: str = "eval",
) -> Finding:
    """Of every block: a linear probe's error, the direction of F(x), and what is kept of x.

    A logistic regression on pooled features (Alain and Bengio 2016, arXiv:1610.01644) of
    `probe_images` training images, with scikit-learn's C = `probe_strength`, is judged on `images`
    of `split`. On these too: the cosine of F(x) with -dL/dx, positive if a block descends the loss
    (Jastrzebski 2018), and linear CKA of a block's output with its input, and of all outputs with
    each other (Kornblith 2019). Of a plain block F(x) is its output less its input. Raises
    `ValueError` for blocks that do not add their branch to their shortcut.
    """
    if probe_strength <= 0:
        raise ValueError(f"probe_strength={probe_strength}: must be positive")
    refuse_mixed(experiments)
    sample = Sample(split, images, batch_norm)
    probed = Sample("train", probe_images, batch_norm)
    for experiment in experiments:
        refuse_unless_added(experiment)
        refuse_too_many(experiment, sample.size(experiment), probed.size(experiment))
    rows = pd.DataFrame(
        row for e in experiments for row in block_rows(e, sample, probed, probe_strength)
    )
    return _conclude(rows)


def _conclude(every: pd.DataFrame) -> Finding:
    rows = every[every["kind"] == "block"].astype({"keeps_shape": bool})
    kept = rows[rows["keeps_shape"]]
    table = kept.groupby([*NETWORK, "step", "learned"], as_index=False)[["cosine", "cka"]].mean()
    table = table.assign(change=1 - table["cka"])
    changes = compare_twins(table, "change", ratio(MARGIN))
    downhill = _downhill(table)
    fair = deciding(changes)
    depth = fair.depth if fair else max(downhill, default=None)
    summary = _summary(at_last_step(rows))
    cosines = "; ".join(f"{d}: {said(found)}" for d, found in downhill.items())
    text = (
        "Claim: residual blocks refine features step by step and keep earlier ones. Measured in"
        " blocks that keep the shape: the cosine of F(x) with -dL/dx, above 0 where a block lowers"
        f" the loss, of residual networks that have learned, by depth: {cosines or 'none has'};"
        " and what a block changes, 1 - CKA of its output and input, plain over residual, by depth:"
        f" {sentence(changes)}. A linear probe's error changes from the first block to the last by,"
        f" in points: {_probes(summary)}. Limit: features are kept inside a stage only"
        f"{_where_kept(rows, depth)}."
    )
    chosen = Comparison(depth, downhill[depth], fair=True) if depth in downhill else None
    return Finding(
        every,
        partial(refinement_figure, rows, every[every["kind"] == "pair"]),
        summary,
        text,
        "refinement",
        _judge(downhill, changes),
        *evidence(chosen, "cosine of F(x) with -dL/dx, residual blocks that keep the shape"),
    )


def _downhill(table: pd.DataFrame) -> dict[int, Inference]:
    """Is the mean cosine of residual nets that have learned above zero? By depth."""
    nets = at_last_step(table).dropna(subset="cosine")
    arms = nets[nets["residual"] & nets["learned"]].groupby("depth")
    return {int(depth): mean(arm["cosine"].to_list()) for depth, arm in arms}


def _judge(downhill: dict[int, Inference], changes: Sequence[Comparison]) -> ClaimVerdict:
    """Refined: F(x) descends the loss. Kept: a plain block changes more of its input.

    Both are asked at the deepest twins that have learned. The limit: not so at every depth.
    """
    fair = deciding(changes)
    if fair is None or fair.depth not in downhill:
        return ClaimVerdict.CANNOT_TELL
    kept, last = judge(changes), downhill[fair.depth]
    if last.answer in (Answer.REVERSED, Answer.NO):
        return ClaimVerdict.NOT_CONFIRMED
    if last.answer is Answer.CANNOT_TELL and kept is not ClaimVerdict.NOT_CONFIRMED:
        return ClaimVerdict.CANNOT_TELL
    everywhere = all(found.answer is Answer.YES for found in downhill.values())
    limited = kept is ClaimVerdict.CONFIRMED and not everywhere
    return ClaimVerdict.LIMITED if limited else kept


def _where_kept(rows: pd.DataFrame, depth: int | None) -> str:
    """`; the CKA of ResNets ..`, of those that have learned at this depth; empty without one."""
    nets = at_last_step(rows[rows["residual"] & rows["learned"] & (rows["depth"] == depth)])
    if nets.empty:
        return ""
    within, across = (nets[nets["keeps_shape"] == kept]["cka"].mean() for kept in (True, False))
    found = [
        f"{value:.3f} {where}"
        for value, where in ((within, "there"), (across, "where the shape changes"))
        if not math.isnan(value)
    ]
    return f"; the CKA of residual networks of {depth} layers is {' and '.join(found)}"


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
        summary[name_of(residual, depth)] = rounded(entry)
    return summary


def _probes(summary: dict[str, Any]) -> str:
    changes = {n: 100 * (e["last_probe"] - e["first_probe"]) for n, e in summary.items()}
    return "; ".join(f"{name} {change:+.1f}" for name, change in changes.items())
