"""Parameters and multiply-adds of every network beside the published ones, as docs/networks.md.

python scripts/networks.py > docs/networks.md
"""

import re
from functools import cache

import torch
import torchvision
from omegaconf import DictConfig, OmegaConf

from resx.commands.info import describe_twin
from resx.config.composing import compose_raw
from resx.config.requests import InfoConfig
from resx.config.settings import validated
from resx.models.building import build_network
from resx.models.parts.complexity import flops, parameters
from resx.models.parts.network import Network
from resx.reference import parameter_counts

# He 2015, Table 1, in billions; torchvision states its own count with every set of weights.
PAPERS = {"ResNet-18": 1.8, "ResNet-34": 3.6, "ResNet-50": 3.8, "ResNet-101": 7.6}
PAPERS |= {"ResNet-152": 11.3}
TORCHVISIONS = {
    "WRN-50-2": "Wide_ResNet50_2",
    "ResNeXt-50-32x4d": "ResNeXt50_32X4D",
    "DenseNet-121-32": "DenseNet121",
    "DenseNet-161-48": "DenseNet161",
    "DenseNet-169-32": "DenseNet169",
    "DenseNet-201-32": "DenseNet201",
    "ViT-12": "ViT_B_16",
}
# Where twins differ in parameters, or are of another width: shown with both counts.
TWINS = (
    "model=wide data=cifar10 depth=40 model.widening=4",
    "model=resnext data=cifar10",
    "model=resnext data=imagenet depth=50",
    "model=densenet data=cifar10 depth=40",
    "model=densenet data=cifar10 depth=100 block=bottleneck",
    "model=densenet data=imagenet depth=121 block=bottleneck",
    "model=highway data=cifar10 depth=20",
    "model=highway data=digits block=linear depth=50",
    "model=preact data=cifar10 depth=110",
    "model=vit data=cifar10",
)
HEAD = """# Networks

Written by `python scripts/networks.py > docs/networks.md`: what `resx info` builds from each
request, counted, beside what the papers and torchvision state. Multiply-adds are of one image of
the data set's size; stated are those of He 2015, Table 1, for ResNet-18 to 152, and torchvision's.
"""


@cache
def composed(groups: tuple[str, ...]) -> DictConfig:
    return compose_raw(groups, "info")


def configure(request: str) -> InfoConfig:
    """The typed configuration; requests of equal groups are composed once, as it takes a while."""
    overrides = request.split()
    groups = tuple(o for o in overrides if o.startswith(("data=", "model=")))
    rest = [o for o in overrides if o not in groups]
    merged = OmegaConf.merge(composed(groups), OmegaConf.from_dotlist(rest))
    assert isinstance(merged, DictConfig)
    return validated(merged, InfoConfig)


def build(request: str) -> Network:
    """On the meta device, for as many classes as the data set has."""
    config = configure(request)
    data = config.data
    assert data.classes is not None
    meta = torch.device("meta")
    return build_network(config, data.classes, data.channels, data.image_size, meta)


def stated_billions(name: str, request: str) -> str:
    if "data=imagenet" not in request:
        return ""
    if name in PAPERS:
        return f"{PAPERS[name]}"
    if name in TORCHVISIONS:
        weights = torchvision.models.get_weight(f"{TORCHVISIONS[name]}_Weights.IMAGENET1K_V1")
        return f"{weights.meta['_ops']:.3f}"
    return ""


def main() -> None:
    print(HEAD)
    print("| network | `resx info` | parameters | published | multiply-adds (10⁹) | stated |")
    print("| --- | --- | ---: | --- | ---: | ---: |")
    for (title, _), published in parameter_counts().items():
        network = build(published.request)
        count, data = parameters(network), configure(published.request).data
        billions = flops(network, data.channels, data.image_size) / 2e9
        verdict = "equal" if count == published.parameters else f"{published.parameters:,}"
        stated = stated_billions(title.split(" ")[0], published.request)
        print(
            f"| {title} | `{published.request}` | {count:,} | {verdict}: {published.source} |"
            f" {billions:.3f} | {stated} |"
        )
    print("\n## Twins\n\nWith and without the shortcut; `+0` says that it costs no parameter.\n")
    print("| network | parameters | its twin |\n| --- | ---: | --- |")
    for request in TWINS:
        network = build(request)
        count = parameters(network)
        twin = re.sub(r" parameters (\(.*\))$", r" \1", describe_twin(configure(request), count))
        print(f"| {network.title} | {count:,} | {twin} |")


if __name__ == "__main__":
    main()
