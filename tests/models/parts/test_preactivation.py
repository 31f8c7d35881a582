"""The blocks of pre-activation nets compute the paper's equations (He 2016, arXiv:1603.05027)."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from resx.models.parts.preactivation import PlainPreActBlock, PreActBlock, VariantBlock, ordered

KINDS = {nn.BatchNorm2d: "b", nn.ReLU: "r", nn.Conv2d: "c"}


# He 2016, Fig. 4: branch and what follows the addition, for two convolutions.
@pytest.mark.parametrize(
    ("order", "branch", "after"),
    [
        ("original", "cbrcb", "r"),
        ("bn_after", "cbrc", "br"),
        ("relu_before", "cbrcbr", ""),
        ("relu_only", "rcbrcb", ""),
        ("full", "brcbrc", ""),
    ],
)
def test_the_five_orders_are_the_papers(order, branch, after):
    parts = ordered([nn.Conv2d(2, 2, 1), nn.Conv2d(2, 2, 1)], order)
    assert ["".join(KINDS[type(m)] for m in part) for part in parts] == [branch, after]


@pytest.mark.parametrize("order", ["relu_before", "relu_only", "full"])
def test_with_an_identity_after_the_addition_the_input_passes_a_silent_branch_unchanged(order):
    block = PreActBlock(4, 4, 1, "A", order=order)
    convolutions = [m for m in block.branch if isinstance(m, nn.Conv2d)]
    nn.init.zeros_(convolutions[-1].weight)
    x = torch.randn(2, 4, 5, 5)  # negative values too: no ReLU stands in the way
    before = x.clone()
    assert torch.equal(block(x), before)
    assert torch.equal(x, before)


def test_where_the_shape_changes_the_shortcut_starts_from_the_activated_input():
    block, x = PreActBlock(4, 8, 2, "B").eval(), torch.randn(2, 4, 6, 6)
    activated = F.relu(x / (1 + 1e-5) ** 0.5)
    assert [type(m) for m in block.before] == [nn.BatchNorm2d, nn.ReLU]
    expected = block.shortcut(activated) + block.branch(activated)
    assert torch.allclose(block(x), expected, atol=1e-6)


def test_a_plain_block_is_the_residual_one_without_its_addition():
    plain, residual = PlainPreActBlock(4, 4, 1), PreActBlock(4, 4, 1, "A")
    residual.load_state_dict(plain.state_dict())
    x = torch.randn(2, 4, 5, 5)
    assert torch.equal(residual(x), x + plain(x))


def variant(**options):
    block = VariantBlock(4, 4, 1, "A", order="original", **options).eval()
    return block, torch.randn(2, 4, 5, 5)


# He 2016, Table 1 and Fig. 2; the block is the original one, so a ReLU follows.
def test_constant_scaling_weighs_shortcut_and_branch():
    block, x = variant(shortcut_scale=0.5, branch_scale=0.25)
    assert torch.allclose(block(x), F.relu(0.5 * x + 0.25 * block.branch(x)))


def test_exclusive_gating_shares_between_branch_and_shortcut():
    block, x = variant(gate="exclusive", gate_bias=-1.0)
    share = block.gate(x)
    assert torch.allclose(block(x), F.relu(share * block.branch(x) + (1 - share) * x))


def test_shortcut_only_gating_leaves_the_branch_whole():
    block, x = variant(gate="shortcut_only", gate_bias=-1.0)
    assert torch.allclose(block(x), F.relu(block.branch(x) + (1 - block.gate(x)) * x))


def test_a_closed_gate_is_the_original_block():
    block, x = variant(gate="shortcut_only", gate_bias=-60.0)
    assert torch.equal(block(x), F.relu(block.branch(x) + x))


def test_dropout_on_the_shortcut_acts_only_while_training():
    block, x = variant(shortcut_dropout=0.5)
    assert torch.equal(block(x), F.relu(x + block.branch(x)))
    block.branch.requires_grad_(False)
    nn.init.zeros_(block.branch[-1].weight)
    kept = block.train()(torch.ones(8, 4, 5, 5))
    assert set(kept.unique().tolist()) == {0.0, 2.0}


@pytest.mark.parametrize("shortcut", ["A", "B", "C"])
@pytest.mark.parametrize("order", ["original", "bn_after", "relu_before", "relu_only", "full"])
def test_every_order_takes_every_shortcut_and_gate_through_a_change_of_shape(order, shortcut):
    for gate in (None, "exclusive", "shortcut_only"):
        block = VariantBlock(4, 8, 2, shortcut, order=order, gate=gate, gate_bias=0.0)
        y = block(torch.randn(2, 4, 6, 6))
        assert y.shape == (2, 8, 3, 3)
        y.sum().backward()
        assert all(p.grad is not None for p in block.parameters())
