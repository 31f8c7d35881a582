"""Exported weights load where they are said to load, and say with which images they were made."""

import io

import pytest
import torch
import torchvision
from torch import nn

from resx.errors import RequestError
from resx.models.parts.exports import ATTRIBUTE, Made, changes, made_of, with_made
from resx.models.parts.foreign import export_weights, load_weights
from resx.models.parts.initialization import initialize
from resx.models.parts.network import Spec
from resx.models.resnet import resnet
from resx.models.vit import vit

MADE = Made(torch.tensor([0.3]), torch.tensor([0.2]), ["cat", "dog"])


@pytest.mark.parametrize(("channels", "size"), [(1, 8), (3, 32), (1, 64), (3, 64)])
def test_torchvisions_network_computes_the_same_after_the_changes_that_are_told(channels, size):
    spec = Spec(depth=18, block="basic", num_classes=10, in_channels=channels, image_size=size)
    network = resnet(spec).eval()
    initialize(network, 0)
    net = torchvision.models.resnet18(num_classes=10).eval()
    lines = changes(network, "torchvision")
    assert bool(lines) == ((channels, size) != (3, 64))
    exec("\n".join(lines), {"net": net, "nn": nn})
    net.load_state_dict(with_made(export_weights(network, "torchvision"), MADE))
    images = torch.randn(2, channels, size, size)
    with torch.no_grad():
        assert (net(images) - network(images)).abs().max() < 1e-4


def test_an_export_carries_its_images_through_a_file():
    """Among the tensors there is no name of ours: any project loads them strictly."""
    file = io.BytesIO()
    torch.save(with_made({"weight": torch.zeros(2)}, MADE), file)
    file.seek(0)
    loaded = torch.load(file, weights_only=True)
    assert list(loaded) == ["weight"]
    made = made_of(loaded)
    assert (made.mean, made.std, made.classes) == (MADE.mean, MADE.std, MADE.classes)
    assert made_of({"weight": torch.zeros(2)}) is None


@pytest.mark.parametrize(
    "said", [{}, {"mean": 3}, MADE._asdict() | {"classes": "cat"}, MADE._asdict() | {"std": None}]
)
def test_what_a_damaged_export_says_is_refused(said):
    weights = with_made({"weight": torch.zeros(2)}, MADE)
    setattr(weights, ATTRIBUTE, said)
    with pytest.raises(RequestError, match="what the export says of its images is damaged"):
        made_of(weights)


@pytest.mark.parametrize(
    ("options", "naming", "reason"),
    [
        ({"depth": 20}, "torchvision", "it has no net of the CIFAR layout"),
        ({"depth": 34}, "akamaster", "it has the CIFAR layout alone"),
        ({"depth": 34, "residual": False}, "torchvision", "a plain net has none of its shortcuts"),
        ({"depth": 50, "block": "bottleneck"}, "torchvision", "model.stride_in=3x3"),
    ],
)
def test_a_refusal_of_naming_says_why(options, naming, reason):
    network = resnet(Spec(**{"block": "basic"} | options))
    with pytest.raises(RequestError, match=reason):
        export_weights(network, naming)


def test_a_transformer_without_its_skips_is_not_torchvisions():
    network = vit(Spec(depth=2, block="encoder", residual=False, image_size=8))
    with pytest.raises(RequestError, match="because its blocks have both skips"):
        load_weights(network, {}, "torchvision")
