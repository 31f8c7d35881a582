"""torch's optimizers without its compiler do the same, and the compiler stays where it is."""

import copy
import subprocess
import sys

import pytest
import torch
from torch import nn, optim

from resx.training import optimizers
from tests.conftest import TINY

TRAIN = """
import sys
sys.argv = ["resx", "train", *sys.argv[1:]]
from resx import cli
assert cli.main() == 0
heavy = "torch._dynamo torch._inductor sympy torchvision matplotlib scipy pandas".split()
print("imported:", [name for name in heavy if name in sys.modules])
"""


@pytest.mark.parametrize("name", ["SGD", "AdamW"])
def test_steps_and_state_equal_those_of_torch(name):
    torch.manual_seed(0)
    network, images = nn.Linear(5, 3), torch.randn(4, 5)
    pair = (network, getattr(optimizers, name)), (copy.deepcopy(network), getattr(optim, name))
    made = [(module, kind(module.parameters(), 0.1)) for module, kind in pair]
    for module, optimizer in made:
        for _ in range(3):
            optimizer.zero_grad(set_to_none=True)
            module(images).square().mean().backward()
            optimizer.step()
        optimizer.load_state_dict(optimizer.state_dict())
    (ours, own), (theirs, torchs) = made
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters()))
    assert own.state_dict()["param_groups"] == torchs.state_dict()["param_groups"]
    assert not any(p.grad_fn for p in ours.parameters())


@pytest.mark.slow
def test_a_run_imports_no_heavy_library_that_it_has_no_use_for(tmp_path):
    command = [sys.executable, "-c", TRAIN, *TINY]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "imported: []"
