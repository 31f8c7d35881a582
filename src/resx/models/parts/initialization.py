"""He initialisation, one generator a parameter (He et al. 2015, arXiv:1502.01852)."""

import math

import torch
from torch import nn

from resx.models.parts.layers import Positions
from resx.seeding import generator


@torch.no_grad()
def initialize(network: nn.Module, seed: int) -> None:
    """Draw every weight from a generator seeded by (seed, its name).

    So whatever two networks share starts equal: a plain net and its residual twin, all of it.

    layer          weight                                       bias
    convolution    normal, std sqrt(2 / fan_out), fan_out       0
                   = out_channels * kernel area / groups
    linear, and    uniform, +- 1 / sqrt(fan_in)                 0
    of patches
    positions      normal, std 0.02 (Dosovitskiy 2021)          -
    all else       stays as constructed: batch norm's gain 1, or 0 (zero_init_last), a gate's bias
    """
    for name, module in network.named_modules():
        source = generator(seed, "weights", name)
        if isinstance(module, nn.Conv2d):
            height, width = module.kernel_size
            if height > 1 and module.stride == module.kernel_size:  # a linear layer for each patch
                bound = 1.0 / math.sqrt(module.in_channels * height * width)
                module.weight.uniform_(-bound, bound, generator=source)
            else:
                fan_out = module.out_channels * height * width // module.groups
                module.weight.normal_(0.0, math.sqrt(2.0 / fan_out), generator=source)
        elif isinstance(module, nn.Linear):
            bound = 1.0 / math.sqrt(module.in_features)
            module.weight.uniform_(-bound, bound, generator=source)
        elif isinstance(module, Positions):
            module.weight.normal_(0.0, 0.02, generator=source)
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            module.bias.zero_()
