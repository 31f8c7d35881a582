"""Gradients grow and vanish as products of matrices and theorems say."""

import math

import pytest
import torch
from torch import nn

from resx.analyses.analysis import ClaimVerdict
from resx.analyses.gradient_flow import YANG, gradient_flow
from resx.analyses.parts.laws import growth
from resx.analyses.parts.sample import Sample, penalized_loss
from tests.analyses.networks import Plain, Skip, he, perceptron, seeds


def test_in_a_linear_net_gradients_are_products_of_matrices(fresh):
    network = perceptron(8, [Plain(he(8)) for _ in range(4)])
    ours = fresh(network=network)
    rows = gradient_flow([ours], images=32, probes=1).rows
    images, labels = Sample("train", 32).of(ours)
    logits = network(images)
    parts = torch.autograd.grad(
        penalized_loss(ours.network, (images, labels)), list(network.head.parameters())
    )
    expected = torch.cat([part.flatten() for part in parts]).norm().item()
    assert rows["weight_gradient"].iloc[-1] == pytest.approx(expected, rel=1e-5)
    gradient = (logits.softmax(1) - nn.functional.one_hot(labels, 10)) / 32  # dL / d logits
    gradient = gradient @ network.head.weight
    expected = [gradient.norm().item()]
    for block in reversed(network.stage1):
        gradient = gradient @ block.branch[0].weight
        expected.insert(0, gradient.norm().item())
    assert rows["input_gradient"].tolist() == pytest.approx(expected, rel=1e-4)
    assert rows["name"].tolist() == ["stage1.0", "stage1.1", "stage1.2", "stage1.3", "head"]


def test_a_blocks_jacobian_is_its_matrix(fresh):
    linear = he(16)
    row = gradient_flow(
        [fresh(network=perceptron(16, [Skip(linear)]))], images=64, probes=64
    ).rows.iloc[0]
    expected = (torch.eye(16) + linear.weight.detach()).norm().item()
    assert row["jacobian"] == pytest.approx(expected, rel=0.02)
    assert row["gain"] == pytest.approx(expected**2 / 16, rel=0.04)


@pytest.mark.slow
def test_plain_batch_norm_nets_explode_by_yangs_factor(fresh):
    """Yang 2019, Theorem 8: pi / (pi - 1) a layer in squared norm, for large batches."""

    def layer():
        return Plain(he(512), nn.BatchNorm1d(512), nn.ReLU())

    for _, network in seeds(lambda: perceptron(512, [layer() for _ in range(16)]), count=1):
        rows = gradient_flow([fresh(network=network)], images=1024, probes=1).rows
    # The first layers still see which images are alike, the last which labels are.
    middle = rows[rows["block"].between(6, 14)]
    assert growth(middle["layer"], middle["input_gradient"] ** 2) == pytest.approx(YANG, abs=0.03)


def test_skips_without_normalisation_double_the_squared_gradient(fresh):
    def block():
        return Skip(he(256, gain=1.0))

    for _, network in seeds(lambda: perceptron(256, [block() for _ in range(12)]), count=1):
        rows = gradient_flow([fresh(network=network)], images=32, probes=1).rows
    assert growth(rows["layer"], rows["input_gradient"] ** 2) == pytest.approx(2.0, rel=0.03)


@pytest.mark.slow
def test_where_plain_gradients_explode_there_is_nothing_to_prevent(fresh):
    nets = [
        fresh("depth=20", "model.width=4", f"residual={kind}", f"seed={seed}")
        for kind in ("true", "false")
        for seed in range(3)
    ]
    finding = gradient_flow(nets, images=64, probes=1)
    assert finding.claim == "gradient-flow"
    assert finding.verdict is ClaimVerdict.FALSE
    assert 1.2 < finding.interval[0] < finding.effect < finding.interval[1] < 1.5
    assert gradient_flow(nets[:4], images=64, probes=1).verdict is ClaimVerdict.CANNOT_TELL


def vanishing(fresh, plain_gain, residual_gain, step=0):
    """Linear nets whose squared gradients grow by `plain_gain` and 1 + `residual_gain` a layer."""
    for residual, kind, gain in ((False, Plain, plain_gain), (True, Skip, residual_gain)):
        for seed, net in seeds(
            lambda kind=kind, gain=gain: perceptron(64, [kind(he(64, gain)) for _ in range(8)])
        ):
            yield fresh(f"residual={str(residual).lower()}", f"seed={seed}", network=net)


@pytest.mark.slow
def test_the_verdict_follows_the_numbers(fresh):
    prevented = gradient_flow(list(vanishing(fresh, 0.5, 0.3)), images=16, probes=1)
    assert prevented.verdict is ClaimVerdict.CONFIRMED
    assert prevented.effect == pytest.approx(0.5, rel=0.1)
    # A skip can only add: made negative, it takes away, and the gradient vanishes with it too.
    nets = list(vanishing(fresh, 0.5, 0.001))
    for ours in nets[3:]:
        for block in ours.network.stage1:
            block.branch[0].weight.data -= 0.5 * torch.eye(64)
    assert gradient_flow(nets, images=16, probes=1).verdict is ClaimVerdict.NOT_CONFIRMED


def test_weight_decay_adds_to_the_gradient_of_weights_alone(fresh):
    network = perceptron(8, [Plain(he(8))])
    ours = fresh("recipe.weight_decay=0.5", network=network)
    bare, decayed = (
        gradient_flow([ours], images=16, probes=1, weight_decay=on).rows for on in (False, True)
    )
    assert decayed["input_gradient"].tolist() == bare["input_gradient"].tolist()
    images, labels = Sample("train", 16).of(ours)
    weight = network.stage1[0].branch[0].weight
    gradient = (
        torch.autograd.grad(penalized_loss(ours.network, (images, labels)), weight)[0]
        + 0.5 * weight
    )
    assert decayed["weight_gradient"].iloc[0] == pytest.approx(gradient.norm().item(), rel=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "nowhere"}, "split=nowhere: must be one of test, train"),
        ({"batch_norm": "frozen"}, "batch_norm=frozen: must be one of train, eval"),
        ({"images": 1}, "images=1: must be at least 2"),
        ({"probes": 0}, "probes=0: must be at least 1"),
        ({"split": "test", "augment": True}, "augment=true: split=test is never augmented"),
    ],
)
def test_options_that_do_not_exist_are_refused(fresh, options, message):
    with pytest.raises(ValueError, match=message):
        gradient_flow([fresh()], **options)


def test_images_are_of_all_classes_and_the_same_for_every_network(fresh):
    first, second = (Sample("train", 20).of(fresh(f"seed={seed}")) for seed in (0, 1))
    assert torch.equal(first[0], second[0])
    assert sorted(first[1].tolist()) == sorted([*range(10)] * 2)
    assert len(Sample("train", 10**6).of(fresh())[1]) == 1437


def test_overflow_is_refused_in_one_line(fresh):
    network = perceptron(8, [Plain(he(8, gain=1e30)) for _ in range(4)])
    with pytest.raises(ValueError, match="gradients overflow"):
        gradient_flow([fresh(network=network)], images=4)
    assert math.isfinite(network.stage1[0].branch[0].weight.sum().item())
