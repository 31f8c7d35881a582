"""`resx info`: what a network is and costs; nothing is trained, no image is read."""

import copy
from typing import NamedTuple

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from resx.config.composing import Typed
from resx.config.requests import InfoConfig
from resx.errors import RequestError
from resx.models.building import build_network
from resx.models.parts.complexity import parameters
from resx.models.parts.network import Network
from resx.reference import parameter_counts
from resx.training.memory import Needs, needs


class Part(NamedTuple):
    """A stage, the stem or the head; multiply-adds of one image."""

    name: str
    blocks: int
    layers: int
    output: str
    parameters: int
    multiply_adds: int


def main(config: InfoConfig, typed: Typed) -> int:
    """Prints the stages and totals of the network, and of its twin the number of parameters."""
    data = config.data
    if data.classes is None:
        raise RequestError("data.classes is not set: how many classes are there?")
    meta = torch.device("meta")
    network = build_network(config, data.classes, data.channels, data.image_size, meta)
    shape = (data.channels, data.image_size)
    rows = parts(network, *shape)
    print(f"{network.title}, images {_times(shape[0], shape[1], shape[1])}, {data.classes} classes")
    print(
        f"\n{'':12} {'blocks':>6} {'layers':>6} {'output':>14} {'parameters':>12} {'mult-adds':>12}"
    )
    for row in rows:
        sizes = f"{row.parameters:12,} {_si(row.multiply_adds):>12}"
        print(f"{row.name:12} {row.blocks or '':>6} {row.layers:6} {row.output:>14} {sizes}")
    total, layers = parameters(network), sum(r.layers for r in rows)
    cost = _si(sum(r.multiply_adds for r in rows))
    print(f"{'total':12} {'':6} {layers:6} {'':14} {total:12,} {cost:>12}\n")
    published = parameter_counts().get((network.title, data.classes))
    if published and data.channels == 3:
        print(f"published parameters  {published.parameters:,} ({published.source})")
    print(f"its twin              {describe_twin(config, total)}")
    memory = needs(network, config.recipe, shape, batch_of(config), config.precision)
    print(describe_memory(memory, config))
    return 0


def batch_of(config: InfoConfig) -> int:
    return config.batch_size or config.recipe.batch_size


def describe_memory(memory: Needs, config: InfoConfig) -> str:
    """What a training step keeps of the images that pass at once, and needs in all."""
    micro, precision = config.recipe.micro_batch, config.precision
    at_once = f"a micro-batch of {micro}" if micro else f"a batch of {batch_of(config)}"
    twice = ", those within blocks computed twice" * config.checkpoint_activations
    number = "bf16" if precision == "bf16" else "float32"
    return (
        f"activations           {_si(memory.activations)}B in {number} for {at_once}{twice}\n"
        f"a training step       {_si(memory.step)}B with weights, gradients and what"
        f" {config.recipe.optimizer} keeps, without images and torch itself"
    )


def describe_twin(config: InfoConfig, total: int) -> str:
    """The other one of plain and residual, with its number of parameters."""
    twin_config = copy.deepcopy(config)
    twin_config.residual = not config.residual
    data = config.data
    assert data.classes is not None
    try:
        twin = build_network(
            twin_config, data.classes, data.channels, data.image_size, torch.device("meta")
        )
    except RequestError as error:  # such as model.gate=exclusive, which a plain net cannot have
        return f"none: {error}"
    count = parameters(twin)
    return f"{twin.title}: {count:,} parameters ({count - total:+,})"


def parts(network: Network, in_channels: int, image_size: int) -> list[Part]:
    """Counted on the meta device while one image passes; shortcuts and gates count no layer."""
    x = torch.empty(1, in_channels, image_size, image_size, device="meta")
    rows = []
    network.eval()
    for name, module in network.named_children():
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            x = module(x)
        weighted = [
            n
            for n, m in module.named_modules()
            if isinstance(m, nn.Conv2d | nn.Linear) and not {"shortcut", "gate"} & {*n.split(".")}
        ]
        blocks = len(list(module.children())) if name.startswith("stage") else 0
        multiply_adds = counter.get_total_flops() // 2
        output = _times(*x.shape[1:])
        rows.append(Part(name, blocks, len(weighted), output, parameters(module), multiply_adds))
    return rows


def _times(*sizes: int) -> str:
    return " x ".join(map(str, sizes))


def _si(number: float) -> str:
    for unit in ("", "k", "M", "G", "T"):
        if number < 1000 or unit == "T":
            break
        number /= 1000
    return f"{number:.3g} {unit}"
