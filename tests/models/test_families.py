"""What every family keeps to: twins, branches and shortcuts, torchvision's functions, refusals."""

import re

import pytest
import torch
import torch.nn.functional as F
import torchvision
from sklearn.datasets import load_digits
from torch import nn

from resx.errors import RequestError
from resx.models.building import build_network
from resx.models.densenet import densenet
from resx.models.parts.complexity import parameters
from resx.models.parts.foreign import export_weights, load_weights
from resx.models.parts.initialization import initialize
from resx.models.parts.network import Network, Spec
from resx.models.resnet import resnet
from resx.models.resnext import resnext
from resx.models.vit import vit
from resx.models.wide import wide
from scripts.networks import configure
from tests.conftest import yamls

CPU, META = torch.device("cpu"), torch.device("meta")
# Small enough to learn a batch in a second; the rest of the yaml stays as it is.
SMALL = {
    "densenet": ["depth=13"],
    "highway": ["depth=8"],
    "preact": ["depth=8"],
    "resnet": ["depth=8"],
    "resnext": ["depth=11", "model.width=8", "model.cardinality=2"],
    "vit": ["depth=2", "model.width=32"],
    "wide": ["depth=10", "model.widening=1"],
}


def build(name, *overrides, device=CPU):
    config = configure(" ".join(["data=digits", f"model={name}", *SMALL[name], *overrides]))
    return build_network(config, 10, 1, 8, device)


@pytest.mark.parametrize("name", yamls("model"))
def test_every_block_has_a_branch_and_residual_ones_a_shortcut(name):
    kinds = {}
    for residual in ("true", "false"):
        network = build(name, f"residual={residual}")
        blocks = [block for _, block in network.blocks()]
        assert all(isinstance(block.branch, nn.Module) for block in blocks)
        kinds[residual] = [hasattr(block, "shortcut") for block in blocks]
    assert not any(kinds["false"])
    reshaping = 2 if name == "highway" else 0  # layers that change shape are plain ones there
    assert kinds["true"].count(False) == reshaping


@pytest.mark.parametrize("name", sorted({*yamls("model")} - {"densenet"}))  # its twin is wider
def test_a_plain_net_starts_from_the_weights_of_its_twin(name):
    ours, plain = (build(name, f"residual={r}").state_dict() for r in ("true", "false"))
    assert plain.keys() <= ours.keys()
    assert all(torch.equal(ours[n], plain[n]) for n in plain)
    assert all(plain[n].std() > 0 for n in plain if plain[n].ndim == 4)


@pytest.mark.parametrize("residual", ["true", pytest.param("false", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", yamls("model"))
def test_one_batch_is_learned_by_heart(name, residual):
    images, labels = load_digits(return_X_y=True)
    x = torch.from_numpy(images[:16]).float().reshape(16, 1, 8, 8) / 16 - 0.3
    labels = torch.from_numpy(labels[:16])
    network = build(name, f"residual={residual}").train()
    optimizer = torch.optim.AdamW(network.parameters(), 0.003)
    for _ in range(150):
        loss = F.cross_entropy(network(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss.item() < 0.02:
            return
    pytest.fail(f"the loss is still {loss.item()}")


def test_gates_start_from_the_bias_that_was_asked_for():
    network = build("highway", "model.gate_bias=-1.5")
    biases = [m.bias for m in network.modules() if type(m).__name__ == "Gate"]
    assert biases
    assert all(torch.equal(b, torch.full_like(b, -1.5)) for b in biases)


def spec(depth, block="basic", residual=True, layout="imagenet", image_size=64):
    shape = {"num_classes": 7, "image_size": image_size}
    return Spec(depth=depth, residual=residual, block=block, layout=layout, **shape)


def torchvisions_small_vit(num_classes):
    size = {"num_layers": 2, "num_heads": 2, "hidden_dim": 16, "mlp_dim": 64}
    return torchvision.models.VisionTransformer(64, 16, num_classes=num_classes, **size)


def torchvisions_vit_b_16(num_classes):
    return torchvision.models.vit_b_16(num_classes=num_classes, image_size=64)


def encoder(depth, **options):
    return vit(spec(depth, "encoder", layout="auto"), **options)


TORCHVISIONS = {
    "resnet18": lambda: resnet(spec(18)),
    "resnet34": lambda: resnet(spec(34)),
    "resnet50": lambda: resnet(spec(50, "bottleneck"), stride_in="3x3"),
    "resnet101": lambda: resnet(spec(101, "bottleneck"), stride_in="3x3"),
    "resnet152": lambda: resnet(spec(152, "bottleneck"), stride_in="3x3"),
    "wide_resnet50_2": lambda: wide(spec(50, "bottleneck")),
    "resnext50_32x4d": lambda: resnext(spec(50, "bottleneck")),
    "resnext101_32x8d": lambda: resnext(spec(101, "bottleneck"), base_width=8),
    "densenet121": lambda: densenet(spec(121, "bottleneck")),
    "densenet201": lambda: densenet(spec(201, "bottleneck")),
    "vit_b_16": lambda: encoder(12),
    "small_vit": lambda: encoder(2, width=16, heads=2),
}
THEIRS = {"vit_b_16": torchvisions_vit_b_16, "small_vit": torchvisions_small_vit}
# Of each kind of names one network is in the default suite, the smallest.
LARGE = {"resnet34", "resnet101", "resnet152", "wide_resnet50_2", "resnext101_32x8d"}
LARGE |= {"densenet201", "vit_b_16"}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in LARGE else n for n in TORCHVISIONS]
)
def test_outputs_equal_torchvisions_for_equal_weights_both_ways(name):
    torch.manual_seed(0)
    theirs = THEIRS.get(name) or getattr(torchvision.models, name)
    theirs = theirs(num_classes=7).eval()
    ours = TORCHVISIONS[name]().eval()
    images = torch.randn(2, 3, 64, 64)
    load_weights(ours, theirs.state_dict(), "torchvision")
    with torch.no_grad():
        assert (ours(images) - theirs(images)).abs().max() < 1e-5
    initialize(ours, 1)
    theirs.load_state_dict(export_weights(ours, "torchvision"))  # strict: every name, every shape
    with torch.no_grad():
        assert (ours(images) - theirs(images)).abs().max() < 1e-5


@pytest.mark.parametrize(
    "make",
    [
        lambda: resnet(spec(34, residual=False)),
        lambda: resnet(spec(34), shortcut="A"),
        lambda: resnet(spec(50, "bottleneck")),  # its stride is in the 1x1
        lambda: encoder(2, skip="mlp"),
    ],
)
def test_a_network_that_torchvision_does_not_have_is_not_named_like_one(make):
    network: Network = make()
    with pytest.raises(
        RequestError, match=re.escape(f"{network.title} is not in it, only in resx")
    ):
        export_weights(network, "torchvision")


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ("model=preact depth=21", "depth=21: no such network with this block in any layout"),
        ("model=preact block=conv", "block=conv: must be one of basic, bottleneck"),
        ("model=preact model.order=best", "model.order=best: must be one of original,"),
        ("model=preact model.gate=open", "model.gate=open: must be one of"),
        (
            "model=preact model.gate=exclusive residual=false",
            "model.gate=exclusive: a plain net has no shortcut",
        ),
        ("model=wide depth=20", "nearest depths are 16, 18, 22"),
        (
            "model=wide block=bottleneck layout=cifar",
            "layout=cifar: block=bottleneck has the imagenet layout alone",
        ),
        ("model=wide depth=20 block=bottleneck", "nearest depths are 50, 101, 152"),
        (
            "model=densenet depth=121 layout=imagenet",
            "layout=imagenet: block=basic has the cifar layout alone",
        ),
        ("model=resnext model.width=8 model.base_width=4", "leaves no channel at width=8"),
        ("model=preact model.shortcut_dropout=1.5", "model.shortcut_dropout=1.5: must be in"),
        ("model=wide model.widening=0", "model.widening=0: must be at least 1"),
        ("model=wide model.dropout=1.5", "model.dropout=1.5: must be in [0, 1)"),
        ("model=resnext block=basic", "block=basic: must be one of bottleneck"),
        ("model=resnext depth=30", "nearest depths are 29, 38, 50"),
        ("model=densenet depth=41", "nearest depths are 40, 43"),
        ("model=densenet model.compression=0", "model.compression=0.0: must be in (0, 1]"),
        ("model=highway block=basic", "block=basic: must be one of conv, linear"),
        ("model=highway layout=imagenet", "highway has the cifar layout alone"),
        ("model=vit model.skip=some", "model.skip=some: must be one of both, attention"),
        ("model=vit model.patch=3", "model.patch=3: must divide image_size=8"),
        ("model=vit model.heads=5", "model.heads=5: must divide width=64"),
        ("model=vit layout=cifar", "vit has no layouts"),
    ],
)
def test_what_a_family_does_not_have_is_refused_with_what_it_has(request_, message):
    config = configure(f"data=digits {request_}")
    with pytest.raises(RequestError, match=re.escape(message)):
        build_network(config, 10, 1, 8, META)


def test_parameters_of_twins_differ_only_where_a_shortcut_has_some():
    sizes = {
        name: [parameters(build(name, f"residual={r}", device=META)) for r in ("true", "false")]
        for name in ("resnet", "preact", "vit", "wide", "highway", "resnext")
    }
    assert all(sizes[name][0] == sizes[name][1] for name in ("resnet", "preact", "vit"))
    projections = 16 * 32 + 32 * 64  # of WRN-10-1
    assert sizes["wide"][0] - sizes["wide"][1] == projections
    gates = 2 * 16 * (9 * 16 + 1) + 32 * (9 * 32 + 1) + 64 * (9 * 64 + 1)  # of Highway-8
    assert sizes["highway"][0] - sizes["highway"][1] == gates
    assert sizes["resnext"][0] > sizes["resnext"][1]
