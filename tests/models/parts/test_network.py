"""A network chooses its memory layout, and its images follow."""

import copy
import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from resx.models.parts.network import Network, Spec, corrupts_memory
from resx.models.resnet import resnet

CONTIGUOUS, LAST = torch.contiguous_format, torch.channels_last


def make(shortcut="A", width=16, residual=True, **options):
    return resnet(
        Spec(depth=8, block="basic", residual=residual), shortcut=shortcut, width=width, **options
    )


@pytest.mark.parametrize(
    ("options", "memory_format"),
    [
        ({}, LAST),
        ({"width": 4}, LAST),  # padding has no weights
        ({"width": 4, "residual": False}, LAST),  # strided 3x3 convolutions are safe
        ({"shortcut": "B", "width": 8}, LAST),
        ({"shortcut": "B", "width": 7}, CONTIGUOUS),
        ({"shortcut": "B", "width": 4}, CONTIGUOUS),
    ],
)
def test_a_network_is_channels_last_unless_torch_cannot_train_it_so(options, memory_format):
    network = make(**options).arrange()
    assert network.memory_format == memory_format
    weight = network.stage1[0].branch[0].weight
    assert weight.is_contiguous(memory_format=memory_format)
    seen = []
    network.stem.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    images = torch.rand(2, 3, 16, 16)
    for given in (images, images.contiguous(memory_format=LAST)):
        network(given)
    assert all(x.is_contiguous(memory_format=memory_format) for x in seen)


def test_another_layout_can_be_forced_and_gives_the_same_function():
    network, images = make().eval().arrange(), torch.rand(2, 3, 16, 16)
    expected = network(images)
    forced = copy.deepcopy(network).arrange(CONTIGUOUS)
    assert forced.memory_format == CONTIGUOUS
    assert forced.stem[0].weight.is_contiguous()
    assert torch.allclose(forced(images), expected, atol=1e-6)


def test_images_that_lie_right_are_not_copied():
    network, seen = make().arrange(), []
    network.stem.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    images = torch.rand(2, 16, 16, 3).permute(0, 3, 1, 2)
    network(images)
    assert seen[0] is images


def test_strided_1x1_convolutions_of_few_channels_are_those_that_corrupt_memory():
    assert corrupts_memory(nn.Conv2d(7, 8, 1, stride=2))
    for safe in (nn.Conv2d(8, 8, 1, stride=2), nn.Conv2d(7, 8, 1), nn.Conv2d(7, 8, 3, stride=2)):
        assert not corrupts_memory(safe)


# Twenty steps of a network with such projections, as on a CPU without AVX-512: with
# `network.to(memory_format=torch.channels_last)` in the place of `arrange` the process aborts.
NARROW = """
import sys
import torch
from resx.models.parts.network import Spec
from resx.models.resnet import resnet

torch.manual_seed(0)
channels = int(sys.argv[1])
spec = Spec(depth=8, block="basic", in_channels=channels)
network = resnet(spec, shortcut="B", width=4).arrange()
optimizer = torch.optim.SGD(network.parameters(), 0.01)
for _ in range(20):
    loss = network(torch.randn(16, 32, 32, channels).permute(0, 3, 1, 2)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("trained")
"""


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3])
def test_a_narrow_network_with_projections_trains_without_avx512(channels):
    """Images of one channel are contiguous in both layouts: their strides must say which."""
    variables = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
    variables |= {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", NARROW, str(channels)]
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "trained\n"), done.stderr


def test_blocks_are_named_by_stage_and_number():
    assert [name for name, _ in make().blocks()] == ["stage1.0", "stage2.0", "stage3.0"]


def test_a_slice_and_a_copy_of_a_network_are_networks():
    network = make()
    assert isinstance(network[:2], Network)
    assert copy.deepcopy(network).title == network.title
