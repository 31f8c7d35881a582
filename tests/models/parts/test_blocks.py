"""Blocks compute their equations."""

import pytest
import torch
from torch import nn

from resx.models.parts.blocks import BasicBlock, Bottleneck, PlainBlock
from resx.models.parts.layers import ZeroPadShortcut


def test_option_a_takes_every_second_pixel_and_pads_with_zeros_behind():
    x = torch.tensor([[[[1.0, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]]]])
    expected = torch.tensor([[[[1.0, 3], [9, 11]], [[0, 0], [0, 0]]]])
    assert torch.equal(ZeroPadShortcut(new_channels=1, stride=2)(x), expected)


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
def test_a_silent_branch_leaves_the_identity(block):
    module = block(4 * block.expansion, 4, 1, shortcut="A")
    nn.init.zeros_(module.branch[-1].weight)
    x = torch.rand(2, 4 * block.expansion, 5, 5)  # not negative: the last relu does nothing
    assert torch.equal(module(x), x)


def test_a_plain_block_is_the_residual_one_without_its_addition():
    plain, residual = PlainBlock(4, 4, 1), BasicBlock(4, 4, 1, shortcut="A")
    residual.load_state_dict(plain.state_dict())
    x = torch.randn(2, 4, 5, 5)
    assert torch.equal(residual(x), torch.relu(x + plain.branch(x)))
    assert torch.equal(plain(x), torch.relu(plain.branch(x)))
