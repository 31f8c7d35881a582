"""What a trained network loses with its blocks (Veit et al. 2016, arXiv:1605.06431)."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from resx.analyses.analysis import ClaimVerdict, Finding
from resx.analyses.lesion_figure import lesion_figure
from resx.analyses.parts.facts import NETWORK, facts, refuse_mixed
from resx.analyses.parts.gradient_paths import gradient_by_length
from resx.analyses.parts.sample import Sample, error_on
from resx.analyses.parts.seeds import error_difference
from resx.analyses.parts.surgery import Blocks, deleted, swapped
from resx.analyses.parts.twins import compare_twins, deciding, evidence, judge, learned, sentence
from resx.analyses.parts.undisturbed import undisturbed
from resx.analyses.parts.words import name_of, rounded
from resx.data.dataset import Batch
from resx.experiment import Experiment

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
    `path_draws` paths of each length over `path_images` training images (Sec. 4.3).
    """
    for name, value in (("draws", draws), ("most", most), ("path_draws", path_draws)):
        if value < 1:
            raise ValueError(f"{name}={value}: must be at least 1")
    refuse_mixed(experiments)
    sample = Sample(split, images)
    paths = Sample("train", path_images)
    rows = pd.DataFrame(
        row
        for e in experiments
        for row in _measure(e, sample, paths, draws, most, path_draws, seed)
    )
    return _conclude(rows, min(map(sample.size, experiments)))


def _measure(
    experiment: Experiment,
    sample: Sample,
    paths: Sample,
    draws: int,
    most: int,
    path_draws: int,
    seed: int,
) -> list[dict[str, Any]]:
    network, known = experiment.network, facts(experiment)
    batch, seeds = sample.of(experiment), [seed, experiment.config.seed]
    with undisturbed(network):
        sample.prepare(network)
        blocks = Blocks(network, batch[0][:2])
        whole = error_on(network, batch)
        known |= {"learned": learned(whole, len(experiment.dataset.classes))}
        rows = [{"kind": "whole", "number": 0, "error": whole}]
        rows += _one_by_one(blocks, batch)
        rows += _several(blocks, batch, draws, most, seeds)
        if blocks.residual:
            rows += gradient_by_length(blocks, paths.of(experiment), path_draws, seeds)
    return [known | row for row in rows]


def _one_by_one(blocks: Blocks, batch: Batch) -> list[dict[str, Any]]:
    rows = []
    for number, name in enumerate(blocks.names):
        row = {"kind": "delete", "number": number + 1, "name": name}
        row["keeps_shape"] = blocks.keeps_shape(number)
        if blocks.deletable(number):
            with deleted(blocks, [number]):
                row["error"] = error_on(blocks.network, batch)
        rows.append(row)
    return rows


def _several(
    blocks: Blocks, batch: Batch, draws: int, most: int, seed: list[int]
) -> list[dict[str, Any]]:
    """Of blocks that keep their shape: without several others a network could not run at all.

    In each draw the k blocks, and the k pairs, are the first k of one random order.
    """
    rows = []
    free = [i for i in range(len(blocks.names)) if blocks.keeps_shape(i)]
    pairs = [(a, b) for a in free for b in free if a < b and blocks.alike(a, b)]
    for draw in range(draws):
        random = np.random.default_rng([*seed, draw])
        order, swaps = random.permutation(free).tolist(), random.permutation(pairs).tolist()
        for k in (2**i for i in range(most.bit_length()) if 2**i <= most):
            row = {"number": k, "draw": draw}
            if k <= len(order):
                with deleted(blocks, order[:k]):
                    rows.append({"kind": "random", "error": error_on(blocks.network, batch)} | row)
            if k <= len(swaps):
                with swapped(blocks, swaps[:k]) as tau:
                    error = error_on(blocks.network, batch)
                rows.append({"kind": "swap", "error": error, "tau": tau} | row)
    return rows


def _conclude(rows: pd.DataFrame, images: int) -> Finding:
    single = rows[(rows["kind"] == "delete") & rows["keeps_shape"].eq(True)]
    table = single.groupby([*NETWORK, "step", "learned"], as_index=False)["error"].mean()
    compared = compare_twins(table, "error", error_difference(images, MARGIN))
    verdict = judge(compared)
    if verdict is ClaimVerdict.CONFIRMED and not _rises(rows):
        verdict = ClaimVerdict.LIMITED
    summary = _summary(rows)
    text = (
        "Claim: a residual network behaves like an ensemble of shallower ones, so that it hardly"
        " misses a block. Measured: the error after deleting one block that keeps its shape, plain"
        f" minus residual in points, by depth: {sentence(compared, scale=100)}. Errors:"
        f" {_in_words(summary)} Limit: members of an ensemble share no weights, as paths through a"
        " network do; that it bears the loss of a block is a likeness, no proof."
    )
    return Finding(
        rows,
        partial(lesion_figure, rows),
        summary,
        text,
        "ensemble",
        verdict,
        *evidence(deciding(compared), "error after deleting one block, plain minus residual"),
    )


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
