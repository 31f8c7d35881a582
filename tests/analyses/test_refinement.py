"""Probes, directions and similarities of blocks are what they are called."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from resx.analyses.parts.block_features import probe_error
from resx.analyses.parts.passages import passages
from resx.analyses.parts.similarity import cosine, linear_cka, similarities
from resx.analyses.refinement import refinement
from tests.analyses.test_lesion import silence


@pytest.fixture
def experiment(fresh):
    return partial(fresh, "depth=14", "model.width=4")


@pytest.fixture
def batch(experiment):
    return next(experiment().dataset.evaluation_batches("test", 32))


def test_a_block_that_changes_nothing_is_wholly_similar_to_its_input(experiment):
    ours = experiment()
    silence(ours.network.stage2[1])
    every = refinement([ours], images=64, probe_images=64).rows
    rows = every[every["kind"] == "block"].set_index("name")
    assert rows.loc["stage2.1", "cka"] == pytest.approx(1, abs=1e-9)
    assert rows.loc["stage2.1", "size"] == 0
    assert (rows["cka"].drop("stage2.1") < 0.9999).all()
    assert rows.loc["stage2.1", "probe_error"] == rows.loc["stage2.0", "probe_error"]
    pairs = every[every["kind"] == "pair"].set_index(["block", "with"])["cka"]
    assert len(pairs) == 6 * 7 / 2
    assert pairs[4, 3] == pytest.approx(1, abs=1e-9)  # stage2.1 gives what stage2.0 gave
    assert pairs[3, 2] == pytest.approx(rows.loc["stage2.0", "cka"], abs=1e-9)


def test_cka_is_blind_to_rotation_and_scale_and_zero_for_the_unrelated():
    torch.manual_seed(0)
    x = torch.randn(40, 6, dtype=torch.double)
    rotation = torch.linalg.qr(torch.randn(6, 6, dtype=torch.double)).Q
    assert linear_cka(x, 3 * x @ rotation + 1) == pytest.approx(1)
    ones = torch.tensor([[1.0], [1.0], [-1.0], [-1.0]])
    assert linear_cka(ones, torch.tensor([[1.0], [-1.0], [1.0], [-1.0]])) == pytest.approx(0)
    y = torch.randn(40, 3, dtype=torch.double)
    table = similarities([x, y])
    assert table.diagonal().tolist() == pytest.approx([1, 1])
    centred = [features - features.mean(0) for features in (x, y)]
    first, second, both = (a.T @ b for a, b in (centred[:1] * 2, centred[1:] * 2, centred[::-1]))
    expected = both.square().sum() / (first.norm() * second.norm())  # by features, not by images
    assert table[0, 1].item() == pytest.approx(expected.item())


def test_a_step_along_the_branch_changes_the_loss_by_the_gradient(experiment, batch):
    """The cosine's sign says whether F(x) descends: <F, dL/dx> is the loss's slope along F."""
    images, labels = batch
    network = experiment().network.double().eval()
    third = passages(network, (images.double(), labels))[1]
    assert third.name == "stage1.1"
    rest = nn.Sequential(network.stage1[1], network.stage2, network.stage3, network.head)
    step = 1e-6
    with torch.no_grad():
        ends = [
            F.cross_entropy(rest(third.x + s * third.added), labels, reduction="sum")
            for s in (-step, step)
        ]
    slope = float(ends[1] - ends[0]) / (2 * step)
    assert slope == pytest.approx(float((third.added * third.gradient).sum()), rel=1e-3)
    assert torch.equal(third.added, network.stage1[1].branch(third.x))


def test_cosines_of_known_directions():
    x = torch.randn(5, 2, 3)
    assert cosine(x, 2 * x) == pytest.approx(1)
    assert cosine(x, -x) == pytest.approx(-1)
    half = torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    assert cosine(*half) == pytest.approx(0.5**0.5)  # the image without direction is left out


def test_what_a_plain_block_adds_is_its_output_less_its_input(experiment, batch):
    network = experiment("residual=false").network.eval()
    for passage in passages(network, batch):
        if passage.name in ("stage2.0", "stage3.0"):
            assert passage.added is None
        else:
            assert torch.equal(passage.added, passage.output - passage.x)


def test_a_probe_finds_what_is_linear():
    labels = torch.arange(40) % 2
    features = torch.stack([labels * 2.0 - 1, torch.randn(40)], 1)
    assert probe_error((features, features), (labels, labels), strength=1.0) == 0
    assert probe_error((features, features), (labels, 1 - labels), strength=1.0) == 1


def test_where_every_block_changes_the_shape_no_direction_is_known(experiment):
    finding = refinement([experiment("depth=11", "block=bottleneck")], images=16, probe_images=64)
    assert "nan" not in finding.text
    rows = finding.rows[finding.rows["kind"] == "block"]
    assert rows["cosine"].isna().all()
    assert rows["probe_error"].between(0, 1).all()
