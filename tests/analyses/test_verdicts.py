"""From rows to verdicts: what analyses conclude from numbers of our choosing."""

import numpy as np
import pandas as pd
import pytest

from resx.analyses import curvature, landscape, lesion, refinement
from resx.analyses.analysis import ClaimVerdict

CONFIRMED, LIMITED, NOT = (
    ClaimVerdict.CONFIRMED,
    ClaimVerdict.LIMITED,
    ClaimVerdict.NOT_CONFIRMED,
)
FALSE, OPEN = ClaimVerdict.FALSE, ClaimVerdict.CANNOT_TELL


def network(residual, seed, depth=20, step=100, learned=True):
    known = {"family": "resnet", "norm": "batch", "depth": depth, "residual": residual}
    return known | {"seed": seed, "step": step, "learned": learned}


# Lesion: errors are (whole, without one block, without 2, 4 blocks).


def lesioned(residual, errors, half=1, depth=20):
    """Nine blocks; all of the gradient comes by paths of `half` blocks."""
    whole, one, *several = errors
    for seed in range(3):
        known = network(residual, seed, depth)
        noise = 1 + seed / 100
        yield known | {"kind": "whole", "number": 0, "error": whole * noise}
        for block in range(1, 10):
            kept = {"keeps_shape": block % 3 != 0, "knows": one < 0.45}
            yield known | kept | {"kind": "delete", "number": block, "error": one * noise}
        for k, error in zip((1, 2, 4), (one, *several)):
            yield known | {"kind": "random", "number": k, "error": error * noise}
        for length in range(10) if residual else ():
            yield known | {"kind": "path", "number": length, "carried": float(length == half)}


PLAIN = (0.011, 0.885, 0.89, 0.9)


@pytest.mark.parametrize(
    ("residual", "half", "plain", "verdict"),
    [
        ((0.010, 0.011, 0.02, 0.05), 1, PLAIN, CONFIRMED),
        ((0.006, 0.089, 0.2, 0.4), 1, PLAIN, LIMITED),  # it misses a block by eight points
        ((0.010, 0.705, 0.8, 0.85), 1, PLAIN, NOT),  # it knows nothing without it
        ((0.010, 0.011, 0.02, 0.05), 6, PLAIN, LIMITED),  # by paths as long as most
        ((0.010, 0.011, 0.3, 0.05), 1, PLAIN, LIMITED),  # and no smooth rise
        ((0.010, 0.011, 0.02, 0.05), 1, (0.010, 0.012, 0.02, 0.05), NOT),
    ],
)
def test_an_ensemble_hardly_misses_a_block(residual, half, plain, verdict):
    rows = pd.DataFrame([*lesioned(True, residual, half), *lesioned(False, plain)])
    finding = lesion._conclude(rows, 20_000, "test")
    assert finding.verdict is verdict
    assert "lose by it" in finding.text


# Refinement: of each network a cosine and a change 1 - CKA.


def refined(residual, cosine, change, depth=20, learned=True, step=100):
    for seed in range(3):
        known = network(residual, seed, depth, step, learned) | {"kind": "block", "error": 0.1}
        for block in (1, 2, 3):
            numbers = {"cosine": cosine * (1 + seed / 50), "size": 0.5, "probe_error": 0.3 / block}
            numbers |= {"cka": 1 - change * (1 + seed / 50), "keeps_shape": block != 2}
            yield known | numbers | {"block": block, "name": f"stage1.{block}"}


@pytest.mark.parametrize(
    ("residual", "plain", "verdict"),
    [
        ((0.1, 0.01), (0.1, 0.1), CONFIRMED),
        ((-0.1, 0.01), (0.1, 0.1), NOT),  # blocks climb the loss
        ((0.1, 0.01), (0.1, 0.01), NOT),  # plain blocks change no more
        ((0.1, 0.1), (0.1, 0.01), NOT),
    ],
)
def test_refinement_descends_and_keeps(residual, plain, verdict):
    rows = pd.DataFrame([*refined(True, *residual), *refined(False, *plain)])
    assert refinement._conclude(rows).verdict is verdict


def test_refinement_says_nothing_of_nets_that_have_not_learned_and_no_nan():
    failed = refined(True, 0.1, 0.5, depth=56, learned=False)
    early = refined(True, 0.1, 0.7, step=1, learned=False)
    good, plain = list(refined(True, 0.1, 0.01)), list(refined(False, 0.1, 0.1))
    finding = refinement._conclude(pd.DataFrame([*good, *plain, *failed, *early]))
    assert "CKA of residual networks of 20 layers is 0.990 there and 0.990 where" in finding.text
    alone = refinement._conclude(pd.DataFrame(plain))
    assert "nan" not in alone.text
    assert alone.verdict is OPEN


# Curvature: (negative share, trace, top).


@pytest.mark.parametrize(
    ("plain", "residual", "verdict"),
    [
        ((0.5, 900.0, 90.0), (0.05, 90.0, 9.0), CONFIRMED),
        ((0.5, 90.0, 9.0), (0.05, 90.0, 9.0), LIMITED),
        ((0.05, 90.0, 9.0), (0.05, 90.0, 9.0), NOT),
        ((0.5, 90.0, 9.0), (0.05, 900.0, 9.0), NOT),  # one reversed
        ((0.05, -90.0, 9.0), (0.05, 90.0, 9.0), OPEN),  # no ratio of a negative trace
    ],
)
def test_curvature_is_better_conditioned_by_all_numbers_or_by_some(plain, residual, verdict):
    rows = pd.DataFrame(
        network(kind, seed)
        | dict(zip(("negative_share", "trace", "top"), np.array(arm) * (1 + seed / 50)))
        | {"part": "network", "lowest": -1.0, "error": 0.1}
        for kind, arm in ((False, plain), (True, residual))
        for seed in range(3)
    )
    finding = curvature._conclude(rows)
    assert finding.verdict is verdict
    if verdict is LIMITED:
        assert "|lowest eigenvalue| / top" in finding.measure


# Landscape: roughness and the share of a slice above the ceiling.


@pytest.mark.parametrize(
    ("plain", "residual", "clipped", "verdict"),
    [
        (2.0, 1.1, 0.1, CONFIRMED),
        (1.2, 1.21, 0.1, NOT),
        (1.0, 1.0, 0.1, OPEN),  # single valleys all: no roughness that it could compare
        (1.2, 1.21, 0.8, OPEN),  # what is rough lies above the ceiling
        (2.0, 1.1, 0.8, CONFIRMED),
        (1.1, 2.0, 0.1, NOT),
    ],
)
def test_slices_that_can_show_no_roughness_refute_nothing(plain, residual, clipped, verdict):
    rows = pd.DataFrame(
        network(kind, seed)
        | {"kind": "network", "roughness": 1 + (value - 1) * (1 + seed / 50), "clipped": clipped}
        | {"basin": 0.5, "unevenness": 0.1, "error": 0.1, "loss": 0.1, "not_convex": 0.25}
        for kind, value in ((False, plain), (True, residual))
        for seed in range(3)
    )
    finding = landscape._conclude(rows, points=82)
    assert finding.verdict is verdict
    assert ("it tells little" in finding.text) == (clipped > 0.5 or plain == residual)
    assert "lowest: plain-20 0.25, residual-20 0.25" in finding.text
