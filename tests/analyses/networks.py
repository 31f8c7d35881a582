"""Small networks made by hand, of which the answer is known."""

import math
from collections import OrderedDict

import torch
from torch import nn

from resx.models.parts.network import Network


class Plain(nn.Module):
    """F(x)."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.branch = nn.Sequential(*layers)

    def forward(self, x):
        return self.branch(x)


class Skip(Plain):
    """x + F(x)."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__(*layers)
        self.shortcut = nn.Identity()

    def forward(self, x):
        return self.shortcut(x) + self.branch(x)


def perceptron(width, blocks, pixels=64):
    """Flat images, `width` units, the given blocks, ten classes."""
    stem = nn.Sequential(nn.Flatten(), nn.Linear(pixels, width))
    parts = OrderedDict(stem=stem, stage1=nn.Sequential(*blocks), head=nn.Linear(width, 10))
    return Network(parts, "by hand")


def he(width, gain=2.0):
    """A square linear layer whose weights have variance gain / width."""
    layer = nn.Linear(width, width, bias=False)
    nn.init.normal_(layer.weight, 0.0, math.sqrt(gain / width))
    return layer


def seeds(make, count=3):
    """One network for each seed of torch's own generator, which is left as it was."""
    with torch.random.fork_rng():
        for seed in range(count):
            torch.manual_seed(seed)
            yield seed, make()
