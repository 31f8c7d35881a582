"""Slices pass through the weights, are filter-normalised, and are exact on a quadratic."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from resx.analyses.landscape import landscape
from resx.analyses.parts.sample import Sample
from resx.analyses.parts.slices import basin, coordinates, direction, losses, roughness, unevenness
from resx.evaluation import evaluate
from tests.commands.answers import assert_refused


class Constant(nn.Module):
    """Logits that are zero whatever the weights: a penalty on these is all that varies."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 4, bias=False)

    def forward(self, x):
        return 0 * self.layer(x)


@pytest.fixture
def experiment(fresh):
    return partial(fresh, "model.width=4")


@pytest.mark.slow
def test_at_the_origin_the_loss_is_that_of_the_weights(experiment):
    ours = experiment()
    images, labels = Sample("train", 64).of(ours)
    ours.network.train()(images)  # so that batch norm has averages
    finding = landscape([ours], images=64, line=3, grid=3)
    expected = evaluate(ours.network, [(images, labels)]).loss
    rows = finding.rows
    for kind, places in (("line", ["x"]), ("surface", ["x", "y"])):
        origin = rows[(rows["kind"] == kind) & (rows[places] == 0).all(axis=1)]
        assert len(origin) >= 1
        assert origin["loss"].to_list() == pytest.approx([expected] * len(origin), rel=1e-5)


def test_on_a_quadratic_a_slice_is_exact():
    network, decay = Constant().double(), 0.5
    weights = network.layer.weight.detach().clone()
    along = [direction(network, seed=0, number=k) for k in range(2)]
    points = np.array([[0.0, 0.0], [0.7, 0.0], [-0.3, 2.0]])
    batch = torch.zeros(5, 3, dtype=torch.double), torch.zeros(5, dtype=torch.long)
    found = losses(network, batch, along, points, decay)
    moved = [weights + a * along[0][0] + b * along[1][0] for a, b in points.tolist()]
    expected = [np.log(4) + decay / 2 * float(w.square().sum()) for w in moved]
    assert found == pytest.approx(expected, rel=1e-12)
    assert torch.equal(network.layer.weight, weights)


def test_each_filter_of_a_direction_is_as_long_as_the_trained_one(experiment):
    network = experiment().network
    along = direction(network, seed=0, number=0)
    convolution = network.stage2[0].branch[0].weight
    named = dict(zip(dict(network.named_parameters()), along))
    drawn = named["stage2.0.branch.0.weight"]
    assert not torch.allclose(drawn, convolution)
    assert torch.allclose(drawn.flatten(1).norm(dim=1), convolution.flatten(1).norm(dim=1))
    one_an_output = [named["stage2.0.branch.1.weight"], named["head.2.bias"]]
    assert not any(d.any() for d in one_an_output)


def test_twins_are_moved_in_one_direction(experiment):
    plain, residual = (experiment(f"residual={r}").network for r in (False, True))
    pairs = zip(direction(plain, 0, 0), direction(residual, 0, 0))
    assert all(torch.equal(a, b) for a, b in pairs)


def test_roughness_is_one_for_a_single_valley_and_counts_bumps():
    valley = np.array([9.0, 4.0, 3.9, 0.0, 0.1, 5.0, 50.0])
    assert roughness(valley, ceiling=10) == pytest.approx(1)
    assert roughness(np.array([1.0, 0.0, 1.0, 0.0, 1.0]), ceiling=10) == pytest.approx(2)
    assert roughness(np.array([np.nan, 0.0, np.inf]), ceiling=10) == pytest.approx(1)


def test_a_parabola_is_even_and_its_basin_is_known():
    x = coordinates(1.0, 41)
    assert unevenness(x**2, ceiling=10) == pytest.approx(0, abs=1e-12)
    assert basin(x**2, level=0.25) == pytest.approx(21 / 41)


def test_a_convex_loss_has_no_negative_curvature_on_the_grid(experiment):
    """With a penalty that outweighs all else every Hessian is positive definite."""
    ours = experiment("recipe.weight_decay=1000", "model.width=1")
    options = {"images": 16, "line": 3, "grid": 3, "eigenvalues": 2, "steps": 4}
    rows = landscape([ours], weight_decay=True, **options).rows
    assert rows[rows["kind"] == "eigenvalues"]["not_convex"].to_list() == [0.0] * 4


def test_bad_options_are_refused(experiment, resx):
    ours = experiment()
    refused = {"line": 1, "span": 0.0, "split": "val", "batch_norm": "off", "images": 1}
    for name, value in refused.items():
        with pytest.raises(ValueError, match=f"^{name}={value}: "):
            landscape([ours], **{name: value})
    answer = resx("analyze", "landscape", "depth=8", "analysis.grid=4")
    assert_refused(answer, "analysis.grid=4: must be odd")
