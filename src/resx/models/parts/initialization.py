"""He initialisation, one generator a parameter (He et al. 2015, arXiv:1502.01852)."""

import math
from typing import Protocol, runtime_checkable

import torch
from torch import nn

from resx.seeding import generator

CONSTANT = (nn.BatchNorm2d, nn.LayerNorm)  # gain and bias stay as the module constructed them


@runtime_checkable
class Initialized(Protocol):
    """A module that draws the parameters of its own, not those of its children."""

    def initialize(self, generator: torch.Generator) -> None: ...


@torch.no_grad()
def initialize(network: nn.Module, seed: int) -> None:
    """Draw every weight from a generator seeded by (seed, its module's name).

    So whatever two networks share starts equal: a plain net and its residual twin, all of it.

    layer          weight                                       bias
    convolution    normal, std sqrt(2 / fan_out), fan_out       0
                   = out_channels * kernel area
    linear, and    uniform, +- 1 / sqrt(fan_in)                 0
    of patches
    batch norm,    as constructed: gain 1, or 0 with            as constructed: 0
    layer norm     zero_init_last
    all else       by its method `initialize(generator)`

    Raises ValueError for a module that has parameters and no such method: left alone they would
    depend on whatever drew from torch's global generator before.
    """
    for name, module in network.named_modules():
        if not any(True for _ in module.parameters(recurse=False)):
            continue
        source = generator(seed, "weights", name)
        if isinstance(module, Initialized):
            module.initialize(source)
        elif isinstance(module, nn.Conv2d | nn.Linear):
            _draw(module, source)
        elif not isinstance(module, CONSTANT):
            kind = type(module).__name__
            raise ValueError(
                f"{name or 'the network'} is a {kind}, whose first weights nothing says:"
                f" give {kind} a method initialize(generator)"
            )


def _draw(module: nn.Conv2d | nn.Linear, source: torch.Generator) -> None:
    if isinstance(module, nn.Linear):
        bound = 1.0 / math.sqrt(module.in_features)
        module.weight.uniform_(-bound, bound, generator=source)
    else:
        height, width = module.kernel_size
        if height > 1 and module.stride == module.kernel_size:  # a linear layer for each patch
            bound = 1.0 / math.sqrt(module.in_channels * height * width)
            module.weight.uniform_(-bound, bound, generator=source)
        else:
            # Of a grouped convolution, too, although an input reaches only the outputs of its
            # group: so Xie's code and torchvision have it, and 32 groups do not start 5.7 times
            # as large as one.
            fan_out = module.out_channels * height * width
            module.weight.normal_(0.0, math.sqrt(2.0 / fan_out), generator=source)
    if module.bias is not None:
        module.bias.zero_()
