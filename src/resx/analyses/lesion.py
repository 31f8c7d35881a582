"""What a trained network loses with its blocks (Veit et al. 2016, arXiv:1605.06431)."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from resx.analyses.analysis import ClaimVerdict, Finding
from resx.analyses.lesion_figure import lesion_figure
from resx.analyses.parts.additions import refuse_unless_added
from resx.analyses.parts.facts import NETWORK, at_last_step, refuse_mixed
from resx.analyses.parts.lesions import lesions
from resx.analyses.parts.memory import refuse_large_graph, refuse_large_pass
from resx.analyses.parts.sample import Sample
from resx.analyses.parts.seeds import error_difference
from resx.analyses.parts.twins import (
    Comparison,
    compare_twins,
    deciding,
    evidence,
    judge,
    sentence,
)
from resx.analyses.parts.words import name_of, rounded, said
from resx.experiment import Experiment
from resx.inference import Answer
from resx.inference import Finding as Inference

MARGIN = 0.01  # errors within this of each other are level


def lesion(
    experiments: Sequence[Experiment],
    split: str = "test",
    images: int = 360,
    draws: int = 3,
    most: int = 8,
    path_draws: int = 4,
    path_images: int = 64,
    seed: int = 0,
) -> Finding:
    """Error after deleting each block, k of them at random, and after swapping blocks.

    A residual block is deleted by F(x) = 0, so that its shortcut is left; a plain one passes its
    input on, and one that changes the shape, which cannot, stays (it is named in the rows). k runs
    over powers of two up to `most`, with `draws` choices each. Gradients by path length are of
    `path_draws` paths of each length over `path_images` training images (Sec. 4.3). Raises
    `ValueError` for blocks that do not add their branch to their shortcut.
    """
    for name, value in (("draws", draws), ("most", most), ("path_draws", path_draws)):
        if value < 1:
            raise ValueError(f"{name}={value}: must be at least 1")
    refuse_mixed(experiments)
    sample = Sample(split, images)
    paths = Sample("train", path_images)
    for experiment in experiments:
        refuse_unless_added(experiment)
        refuse_large_pass(experiment, sample.size(experiment), f"images={images}: a pass")
        count = paths.size(experiment)
        refuse_large_graph(experiment, count, f"path_images={path_images}: a gradient")
    rows = pd.DataFrame(
        row for e in experiments for row in lesions(e, sample, paths, draws, most, path_draws, seed)
    )
    return _conclude(rows, min(map(sample.size, experiments)), split)


def _conclude(measured: pd.DataFrame, images: int, split: str) -> Finding:
    rows = at_last_step(measured)
    single = rows[(rows["kind"] == "delete") & rows["keeps_shape"].eq(True)]
    table = single.groupby([*NETWORK, "step", "learned"], as_index=False)["error"].mean()
    compared = compare_twins(table, "error", error_difference(images, MARGIN))
    losses = _losses(rows, table, images)
    summary = _summary(rows)
    lost = "; ".join(f"{depth}: {said(found, 100)}" for depth, found in losses.items())
    text = (
        "Claim: a residual network behaves like an ensemble of shallower ones, so that it hardly"
        f" misses a block. Measured: the {split} error after deleting one block that keeps its"
        " shape, plain minus residual in points, by depth:"
        f" {sentence(compared, scale=100)}; what residual networks that have learned lose by it, in"
        f" points: {lost or 'none has'}, level within {100 * MARGIN:g}. Errors:"
        f" {_in_words(summary)} Limit: members of an ensemble share no weights, as paths through a"
        " network do; that it bears the loss of a block is a likeness, no proof."
    )
    return Finding(
        measured,
        partial(lesion_figure, rows, split),
        summary,
        text,
        "ensemble",
        _verdict(rows, compared, losses),
        *evidence(deciding(compared), "error after deleting one block, plain minus residual"),
    )


def _losses(rows: pd.DataFrame, table: pd.DataFrame, images: int) -> dict[int, Inference]:
    """Error without one block minus that of the whole, of residual nets that have learned."""
    compare = error_difference(images, MARGIN)
    whole = rows[rows["kind"] == "whole"]
    found = {}
    for depth, cell in table.groupby("depth"):
        nets = cell[cell["residual"] & cell["learned"].astype(bool)]
        uncut = whole[(whole["depth"] == depth) & whole["residual"] & whole["learned"]]
        if len(nets):
            found[int(depth)] = compare(nets["error"].to_list(), uncut["error"].to_list())
    return found


def _verdict(
    rows: pd.DataFrame, compared: Sequence[Comparison], losses: dict[int, Inference]
) -> ClaimVerdict:
    """Plain nets miss a block by far more, and residual ones hardly: they stay level without it.

    The limit: residual nets lose by it, or that cannot be told; the error jumps with the number of
    deleted blocks; or the gradient comes by paths that are no shorter than most paths are. A net
    that knows nothing any more without a block is no ensemble.
    """
    verdict, last = judge(compared), deciding(compared)
    if last is None or verdict not in (ClaimVerdict.CONFIRMED, ClaimVerdict.LIMITED):
        return verdict
    nets = rows[rows["residual"] & (rows["depth"] == last.depth) & rows["learned"]]
    single = nets[(nets["kind"] == "delete") & nets["keeps_shape"].eq(True)]
    if 2 * single["knows"].sum() < len(single):
        return ClaimVerdict.NOT_CONFIRMED
    hardly = all(found.answer in (Answer.NO, Answer.REVERSED) for found in losses.values())
    if hardly and _rises(rows) and _paths_are_short(nets):
        return verdict
    return ClaimVerdict.LIMITED


def _paths_are_short(nets: pd.DataFrame) -> bool:
    """Does half of the gradient arrive by paths shorter than half of the blocks? (Veit, Sec. 4.3)

    Half of all paths are at most so long.
    """
    paths = nets[nets["kind"] == "path"]
    return len(paths) > 0 and half_length(paths) < paths["number"].max() / 2


def _rises(rows: pd.DataFrame) -> bool:
    """Does the residual nets' error rise, or stay, with every doubling of deleted blocks?"""
    several = rows[(rows["kind"] == "random") & rows["residual"] & rows["learned"]]
    curves = several.groupby(["depth", "number"])["error"].mean()
    return bool((curves.groupby("depth").diff().dropna() >= -MARGIN).all())


def _summary(rows: pd.DataFrame) -> dict[str, Any]:
    summary: dict[str, Any] = {}
    for (residual, depth), arm in rows.groupby(["residual", "depth"]):
        kinds = {str(kind): cell for kind, cell in arm.groupby("kind")}
        single = kinds["delete"]
        kept = single["keeps_shape"].eq(True)
        entry = {
            "whole": kinds["whole"]["error"].mean(),
            "deleted_one": single[kept]["error"].mean(),
            "deleted_one_worst": single[kept].groupby("number")["error"].mean().max(),
            "deleted_shape_changing": single[~kept]["error"].mean(),
        }
        if "random" in kinds:
            means = kinds["random"].groupby("number")["error"].mean()
            entry |= {f"deleted_{k}_at_random": value for k, value in means.items()}
        if "swap" in kinds:
            means = kinds["swap"].groupby("number")["error"].mean()
            entry |= {f"swapped_{k}": value for k, value in means.items()}
        if "path" in kinds:
            entry["half_of_gradient_within_length"] = half_length(kinds["path"])
        summary[name_of(residual, depth)] = rounded(entry)
    return summary


def half_length(paths: pd.DataFrame) -> float:
    """Half of the gradient arrives by paths of at most this length; between lengths, linearly."""
    carried = paths.groupby("number")["carried"].mean()
    lengths = np.arange(carried.index.max() + 1)
    total = np.interp(lengths, carried.index, carried).cumsum()
    return float((total >= 0.5 * total[-1]).argmax())


def _in_words(summary: dict[str, Any]) -> str:
    parts = []
    for name, entry in summary.items():
        words = f"{name}: {100 * entry['whole']:.1f} % whole"
        if "deleted_one" in entry:
            words += f", {100 * entry['deleted_one']:.1f} % without one block"
        if "deleted_shape_changing" in entry:
            words += (
                f", {100 * entry['deleted_shape_changing']:.1f} % without one that changes shape"
            )
        if "half_of_gradient_within_length" in entry:
            length = entry["half_of_gradient_within_length"]
            words += f", half of the gradient by paths of at most {length:g} blocks"
        parts.append(words)
    return "; ".join(parts) + "."
