"""What two processes do in the tests: `torchrun --nproc-per-node=2 -m tests.training.pair WHAT`.

WHAT is `norms`, or a file with requests of `resx train`: they are trained one after another, with
`apart` behind it each process in a folder of its own, host0 and host1.
"""

import json
import os
import sys
from pathlib import Path
from unittest.mock import patch

import torch
from torch import nn
from torch.nn import functional as F

from resx import cli
from resx.config.composing import compose
from resx.distributed import joined, part
from resx.models.building import build_network
from resx.models.parts.batch_statistics import statistics
from resx.models.parts.shared_statistics import share_statistics
from resx.process import exit_process
from resx.training.averaging import averaging

NETWORKS = {
    "densenet": ("depth=13",),
    "highway": ("depth=8", "model.norm=batch"),
    "preact": ("depth=8",),
    "resnet": ("depth=8",),
    "resnext": ("depth=11", "model.width=16", "model.cardinality=4", "model.base_width=16"),
    "vit": ("depth=2",),
    "wide": ("depth=10", "model.widening=2"),
}


def train(file: str) -> int:
    code = 0
    for request in json.loads(Path(file).read_text()):
        with patch.object(sys, "argv", ["resx", "train", *request]):
            code = cli.main() or code
    return code


def network(*overrides: str) -> nn.Module:
    """In float64, where rounding is no excuse."""
    cpu = torch.device("cpu")
    return build_network(compose(*overrides), 10, 3, 16, cpu).double().train()


def norms() -> int:
    """Losses, gradients and running averages of two processes are those of one with the batch."""
    draws = torch.Generator().manual_seed(0)
    images = torch.randn(12, 3, 16, 16, dtype=torch.float64, generator=draws)
    labels = torch.arange(12) % 10
    own = part().of(12)
    for family, options in NETWORKS.items():
        for further in ((), ("checkpoint_activations=true",)):
            alone, shared = (network(f"model={family}", *options, *further) for _ in range(2))
            share_statistics(shared)
            F.cross_entropy(alone(images), labels).backward()
            forward = averaging(shared)  # gradients are averaged while it is there
            F.cross_entropy(forward(images[own]), labels[own]).backward()
            for one, other in zip(alone.parameters(), shared.parameters(), strict=True):
                torch.testing.assert_close(other.grad, one.grad, rtol=1e-9, atol=1e-12)
            expected, found = statistics(alone), statistics(shared)
            assert expected.keys() == found.keys()
            for name, value in expected.items():
                torch.testing.assert_close(found[name], value, rtol=1e-9, atol=1e-12)
    return 0


def main() -> int:
    torch.set_num_threads(1)
    with joined("cpu"):
        if sys.argv[2:] == ["apart"]:
            os.chdir(f"host{part().rank}")
        return norms() if sys.argv[1] == "norms" else train(sys.argv[1])


if __name__ == "__main__":
    exit_process(main())
