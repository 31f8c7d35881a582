"""The noise scale is the one that can be computed, and twins are compared at equal loss."""

import math
from dataclasses import replace
from functools import partial

import pandas as pd
import pytest
import torch

from resx.analyses.analysis import ClaimVerdict
from resx.analyses.gradient_noise import _judged, gradient_noise, match
from resx.analyses.parts.noise_scale import measure_noise
from resx.analyses.parts.sample import Sample


@pytest.fixture
def of(fresh):
    return partial(fresh, "model.width=4")


def regression_gradients(count, width, sigma, offset, seed=0):
    """Of (w x - y)^2 / 2 with x ~ N(0, I), y = (w - offset) x + sigma e, for every image."""
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(count, width, generator=draw, dtype=torch.float64)
    e = torch.randn(count, generator=draw, dtype=torch.float64)
    return (x @ offset - sigma * e)[:, None] * x


@pytest.mark.parametrize("batch_size", [1, 8])
def test_of_a_linear_regression_it_is_exact(batch_size):
    """G = offset, tr(Sigma) = (d + 1) |offset|^2 + d sigma^2."""
    width, sigma = 5, 0.5
    offset = torch.linspace(0.2, 1.0, width, dtype=torch.float64)
    gradients = regression_gradients(40_000, width, sigma, offset)
    noise = measure_noise(gradients.unflatten(0, (-1, batch_size)).mean(1), batch_size)
    squared = offset.square().sum().item()
    trace = (width + 1) * squared + width * sigma**2
    assert noise.squared_norm == pytest.approx(squared, rel=0.05)
    assert noise.trace == pytest.approx(trace, rel=0.05)
    assert noise.scale == pytest.approx(trace / squared, rel=0.08)


def test_of_few_images_it_is_the_sample_covariance():
    gradients = torch.randn(6, 3, dtype=torch.float64)
    noise = measure_noise(gradients, batch_size=1)
    assert noise.trace == pytest.approx(gradients.T.cov().trace().item())
    expected = gradients.mean(0).square().sum().item() - noise.trace / 6
    assert noise.squared_norm == pytest.approx(expected)


def test_it_is_unbiased_though_the_gradient_is_hidden_by_noise():
    offset = torch.full((4,), 0.01, dtype=torch.float64)
    found = [
        measure_noise(
            regression_gradients(64, 4, 1.0, offset, seed).unflatten(0, (-1, 8)).mean(1), 8
        )
        for seed in range(1000)
    ]
    mean = sum(noise.squared_norm for noise in found) / len(found)
    assert mean == pytest.approx(offset.square().sum().item(), abs=0.003)
    assert any(noise.scale != noise.scale for noise in found)  # not a number: hidden


@pytest.mark.slow
def test_larger_batches_find_the_same_covariance_of_images(of):
    ours = of()
    images, _ = Sample("train", 256).of(ours)
    ours.network.train()(images)  # averages that have seen nothing are no statistics
    one, eight = (
        gradient_noise([ours], batches=1437, batch_size=size, batch_norm="eval").rows.iloc[0]
        for size in (1, 8)
    )
    assert one["trace"] == pytest.approx(eight["trace"], rel=0.15)
    assert eight["variance"] == pytest.approx(eight["trace"] / 8)


@pytest.mark.slow
def test_twins_are_compared_at_the_steps_of_nearest_loss(of):
    """Training is played by scaling the head: with smaller weights the loss is nearer to ln 10."""
    nets = []
    for residual in ("true", "false"):
        for scale in (1.0, 0.1, 0.01) if residual == "true" else (0.1,):
            ours = of(f"residual={residual}")
            ours.network.head[-1].weight.data *= scale
            nets.append(ours)
    finding = gradient_noise(nets, batches=4)
    rows = finding.rows
    plain = rows[~rows["residual"]].iloc[0]
    (pair,) = match(rows, 1.5).itertuples()
    expected = (rows[rows["residual"]]["loss"] / plain["loss"]).apply(lambda r: max(r, 1 / r))
    assert pair.residual == expected.idxmin()
    assert rows["matched"].sum() == 2
    assert not len(match(rows.assign(loss=[9.0, 9.0, 9.0, 1.0]), 1.5))
    assert finding.verdict is ClaimVerdict.CANNOT_TELL  # of one seed


def along(losses, learned=True):
    """Rows of one seed: (residual, loss) at steps 1, 2, .."""
    known = {"family": "resnet", "norm": "batch", "depth": 20, "seed": 0}
    return pd.DataFrame(
        known | {"residual": residual, "step": step, "loss": loss, "learned": learned}
        for step, (residual, loss) in enumerate(losses, start=1)
    )


@pytest.mark.parametrize(
    ("losses", "pair"),
    [
        ([(False, 0.5), (True, 0.9), (True, 0.45)], (0, 2)),
        ([(False, 0.0), (True, 0.9)], None),  # no factor lies between a loss of 0 and any other
        ([(False, math.inf), (True, 0.9)], None),
        ([(False, math.nan), (True, 0.9)], None),
        ([(False, 0.0), (False, 0.8), (True, 0.9)], (1, 2)),
    ],
)
def test_pairs_are_of_positive_and_finite_losses(losses, pair):
    found = match(along(losses), 1.5)
    assert list(zip(found["plain"], found["residual"])) == ([pair] if pair else [])


def test_trained_networks_that_have_not_learned_are_no_pair():
    rows = along([(False, 2.3), (True, 2.3)], learned=False)
    assert not len(match(rows, 1.5))
    assert len(match(rows.assign(step=0), 1.5)) == 1


def test_the_depth_with_most_pairs_is_judged_and_of_those_the_greatest():
    pairs = pd.DataFrame({"norm": "batch", "depth": [8, 8, 20, 20, 56], "seed": [0, 1, 0, 1, 0]})
    assert set(_judged(pairs)["depth"]) == {20}


@pytest.mark.slow
def test_the_verdict_follows_the_numbers(of):
    nets = [
        of("depth=20", "model.width=16", f"residual={kind}", f"seed={seed}")
        for kind in ("true", "false")
        for seed in range(3)
    ]
    finding = gradient_noise(nets, batches=8)
    assert finding.verdict in (ClaimVerdict.CONFIRMED, ClaimVerdict.LIMITED)
    assert 1.5 < finding.interval[0] < finding.effect
    swapped = [replace(n, config=replace(n.config, residual=not n.config.residual)) for n in nets]
    reversed_ = gradient_noise(swapped, batches=8)
    assert reversed_.verdict is ClaimVerdict.FALSE
    assert reversed_.effect == pytest.approx(1 / finding.effect)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batches": 1}, "batches=1: must be at least 2"),
        ({"batch_size": 0}, "batch_size=0: must be at least 1"),
        ({"batch_size": 1000}, "batch_size=1000: the split has only 1437 images"),
        ({"level": 1.0}, "level=1.0: must be a factor above 1"),
    ],
)
def test_options_that_do_not_exist_are_refused(of, options, message):
    with pytest.raises(ValueError, match=message):
        gradient_noise([of()], **options)
