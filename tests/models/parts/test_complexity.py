"""What a network costs."""

import pytest

from resx.models.parts.complexity import activation_memory
from resx.models.parts.network import Spec
from resx.models.resnet import resnet


def make(depth):
    return resnet(Spec(depth=depth, block="basic"))


def test_activation_memory_grows_with_batch_and_depth():
    small = activation_memory(make(20), 3, 32, 16)
    assert activation_memory(make(20), 3, 32, 32) == pytest.approx(2 * small, rel=0.01)
    assert activation_memory(make(56), 3, 32, 16) > 2.5 * small
