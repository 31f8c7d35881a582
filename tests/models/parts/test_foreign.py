"""Weights in akamaster/pytorch_resnet_cifar10's names compute what they computed there."""

from collections import OrderedDict

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from resx.errors import RequestError
from resx.models.parts.foreign import bare, detect, export_weights, load_weights
from resx.models.parts.network import Spec
from resx.models.resnet import resnet


class ReferenceBlock(nn.Module):
    """Option A as that project has it: zeros on both sides, half in front, half behind."""

    def __init__(self, in_channels, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.stride, self.new = stride, channels - in_channels

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        x = x[:, :, :: self.stride, :: self.stride]
        x = F.pad(x, (0, 0, 0, 0, self.new // 2, self.new // 2))
        return F.relu(x + y)


class Reference(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        sizes = [(16, 16, 1), (16, 32, 2), (32, 64, 2)]
        for i, (before, after, stride) in enumerate(sizes, start=1):
            blocks = [ReferenceBlock(before, after, stride)]
            blocks += [ReferenceBlock(after, after, 1) for _ in range(n - 1)]
            setattr(self, f"layer{i}", nn.Sequential(*blocks))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


@pytest.fixture
def reference():
    """Weights with statistics of their own, so that a channel out of place would show."""
    torch.manual_seed(0)
    network = Reference(3)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.eval()


def test_akamasters_weights_compute_the_same_function(reference):
    saved = {"state_dict": {f"module.{k}": v for k, v in reference.state_dict().items()}}
    weights = bare(saved)
    assert detect(weights) == "akamaster"
    network = resnet(Spec(depth=20, block="basic")).eval()
    load_weights(network, weights, "akamaster")
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert (network(images) - reference(images)).abs().max() < 1e-5


def test_exported_to_akamasters_names_they_compute_the_same_there(reference):
    network = resnet(Spec(depth=20, block="basic")).eval()
    load_weights(network, reference.state_dict(), "akamaster")
    again = Reference(3).eval()
    again.load_state_dict(export_weights(network, "akamaster"))
    theirs = reference.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in again.state_dict().items())


@pytest.mark.parametrize(
    ("depth", "message"), [(32, "lacks layer1.3.conv1.weight"), (14, "has also layer1.2")]
)
def test_weights_of_another_depth_are_refused_by_name(reference, depth, message):
    network = resnet(Spec(depth=depth, block="basic"))
    with pytest.raises(RequestError, match=f"another architecture: the file {message}"):
        load_weights(network, reference.state_dict(), "akamaster")


def test_weights_of_another_width_are_refused_by_shape(reference):
    network = resnet(Spec(depth=20, block="basic"), width=8)
    with pytest.raises(RequestError, match=r"conv1.weight is \(16, 3, 3, 3\), the network's \(8,"):
        load_weights(network, reference.state_dict(), "akamaster")


def test_torchvisions_older_files_have_other_names():
    """Its DenseNets' and ViTs' files; torchvision renames them while it loads."""
    tensor = torch.zeros(1)
    old = "features.denseblock1.denselayer2.norm.1.weight"
    assert list(bare({old: tensor})) == ["features.denseblock1.denselayer2.norm1.weight"]
    old = "encoder.layers.encoder_layer_0.mlp.linear_2.bias"
    assert list(bare({old: tensor})) == ["encoder.layers.encoder_layer_0.mlp.3.bias"]


def test_a_file_without_tensors_is_no_state_dict():
    with pytest.raises(RequestError, match="no state dict"):
        bare(OrderedDict(epoch=3))
