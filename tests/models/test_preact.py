"""Pre-activation nets, and the wide ones that are made of their blocks."""

import pytest
from torch import nn

from resx.models.parts.network import Spec
from resx.models.preact import preact
from resx.models.wide import wide

KINDS = {nn.BatchNorm2d: "b", nn.ReLU: "r", nn.Conv2d: "c"}


@pytest.mark.parametrize(
    ("order", "first", "last"),
    [("full", "c", ["BatchNorm2d", "ReLU"]), ("relu_only", "r", ["ReLU"]),
     ("original", "c", []), ("bn_after", "c", []), ("relu_before", "c", [])],
)  # fmt: skip
def test_the_stem_activates_for_the_first_block_and_the_head_for_the_last(order, first, last):
    """Full pre-activation moves its first BN and ReLU to the stem; what is left over follows."""
    network = preact(Spec(depth=20, block="basic"), order=order)
    assert len(network.stage1[0].before) == 0
    assert KINDS[type(network.stage1[0].branch[0])] == first
    assert [type(m).__name__ for m in network.head][: len(last) + 1] == [*last, "AdaptiveAvgPool2d"]


def test_a_wide_net_drops_out_between_its_convolutions():
    branch = wide(Spec(depth=16, block="basic"), widening=2, dropout=0.3).stage2[1].branch
    kinds = [type(m).__name__ for m in branch.modules() if not list(m.children())]
    assert kinds == ["BatchNorm2d", "ReLU", "Conv2d", "BatchNorm2d", "ReLU", "Dropout", "Conv2d"]
