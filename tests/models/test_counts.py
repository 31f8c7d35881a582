"""Parameters and multiply-adds are the published ones, of every network in parameters.csv."""

import subprocess
import sys
from pathlib import Path

import pytest
import torchvision

from resx.models.parts.complexity import flops, parameters
from resx.reference import parameter_counts
from scripts.networks import build


@pytest.mark.parametrize(
    ("title", "num_classes"),
    [
        pytest.param(*key, marks=pytest.mark.slow)
        if "-1001 " in key[0] or "-1202 " in key[0] or key[1] == 100
        else key
        for key in parameter_counts()
    ],
)
def test_parameter_count_is_the_published_one(title, num_classes):
    published = parameter_counts()[title, num_classes]
    network = build(published.request)
    assert network.title == title
    assert parameters(network) == published.parameters


# What the papers print, in millions: He 2015, Table 6; He 2016, Table 3; Zagoruyko 2016, Table 4;
# Huang 2017, Table 2. (He 2016 prints 10.2 for 10,327,706.)
@pytest.mark.parametrize(
    ("title", "millions"),
    [
        ("ResNet-20 (cifar layout, basic, shortcut A)", 0.27),
        ("ResNet-110 (cifar layout, basic, shortcut A)", 1.7),
        ("ResNet-1202 (cifar layout, basic, shortcut A)", 19.4),
        ("PreAct-164 (cifar layout, bottleneck, shortcut B)", 1.7),
        ("PreAct-1001 (cifar layout, bottleneck, shortcut B)", 10.2),
        ("WRN-40-4 (cifar layout, basic)", 8.9),
        ("WRN-28-10 (cifar layout, basic)", 36.5),
        ("DenseNet-40-12 (cifar layout)", 1.0),
        ("DenseNet-BC-100-12 (cifar layout)", 0.8),
    ],
)
def test_the_counts_are_those_that_the_papers_print(title, millions):
    assert parameter_counts()[title, 10].parameters == pytest.approx(1e6 * millions, rel=0.04)


# Zagoruyko 2016, Tables 7 and 8 ("pre-ResNet-200"), in millions.
@pytest.mark.parametrize(
    ("request_", "millions"),
    [
        ("model=wide depth=18", 45.6),
        ("model=wide depth=34", 86.0),
        ("model=wide depth=50 block=bottleneck", 68.9),
        ("model=preact depth=200 block=bottleneck", 64.7),
    ],
)
def test_counts_printed_for_imagenet(request_, millions):
    count = parameters(build(f"data=imagenet {request_}"))
    assert count == pytest.approx(1e6 * millions, abs=5e4)


TWINS = [title for title, _ in parameter_counts() if title.startswith("plain-PreAct")]


@pytest.mark.parametrize("title", TWINS)
def test_plain_twins_under_option_a_have_equal_parameters(title):
    twin = f"{title.removeprefix('plain-')[:-1]}, shortcut A)"
    counts = parameter_counts()
    assert counts[title, 10].parameters == counts[twin, 10].parameters


# He 2015, Table 1: 3.6 and 3.8 billion; counted exactly, ResNet-34 with option A has 3.66.
@pytest.mark.parametrize(
    ("request_", "billions"),
    [
        ("data=imagenet depth=34 model.shortcut=A", 3.6),
        ("data=imagenet depth=50 block=bottleneck", 3.8),
    ],
)
def test_multiply_adds_are_the_papers(request_, billions):
    assert flops(build(request_), 3, 224) / 2e9 == pytest.approx(billions, rel=0.03)


@pytest.mark.parametrize(
    ("request_", "weights"),
    [
        ("depth=18", "ResNet18"),
        ("depth=50 block=bottleneck model.stride_in=3x3", "ResNet50"),
        ("model=wide depth=50 block=bottleneck", "Wide_ResNet50_2"),
        ("model=resnext depth=50", "ResNeXt50_32X4D"),
        ("model=densenet depth=121 block=bottleneck", "DenseNet121"),
        ("model=vit", "ViT_B_16"),
    ],
)
def test_multiply_adds_are_torchvisions(request_, weights):
    stated = torchvision.models.get_weight(f"{weights}_Weights.IMAGENET1K_V1").meta["_ops"]
    counted = flops(build(f"data=imagenet {request_}"), 3, 224) / 2e9
    assert counted == pytest.approx(stated, abs=0.002)


@pytest.mark.slow
def test_the_table_of_networks_is_what_its_script_writes():
    top = Path(__file__).parents[2]
    command = [sys.executable, "scripts/networks.py"]
    written = subprocess.run(command, cwd=top, capture_output=True, text=True, check=True).stdout
    assert written == (top / "docs" / "networks.md").read_text()
    assert written.count("| equal: ") == len(parameter_counts())
