"""A network of one's own that is none is told, in one line, what a network must have."""

import sys

import pytest

from tests.commands.answers import assert_refused

HEAD = """
from collections import OrderedDict
import torch
from torch import nn
from resx.models.parts.network import Network, Spec

class Block(nn.Module):
    def __init__(self, branch=True):
        super().__init__()
        if branch:
            self.branch = nn.Identity()

    def forward(self, x):
        return x

def parts(classes, features=64, branch=True):
    stem, head = nn.Flatten(), nn.Linear(features, classes)
    return OrderedDict(stem=stem, stage1=nn.Sequential(Block(branch)), head=head)

"""
FORM = ": a family is def NAME(spec: Spec, ...) -> Network, of resx.models.parts.network, whose"


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("def net(spec): ...", f"does not declare to return a Network{FORM}"),
        ("def net(spec) -> nn.Module: ...", f"does not declare to return a Network{FORM}"),
        ("def net(num_classes: int) -> Network: ...", f"takes no 'spec', and must{FORM}"),
        ("def net(spec) -> Network: return nn.Sequential()", f"a Sequential, no Network{FORM}"),
        ("def net(spec) -> Network: return Network(parts(10))", "the network has no title"),
        ("def net(spec) -> Network: return Network({'stem': Block()}, 'N')", "N has no stage1"),
        ("def net(spec) -> Network: return Network(parts(10, branch=False), 'N')", "has no branch"),
        ("def net(spec) -> Network: return Network(parts(7), 'N')", "logits are (2, 10), a number"),
        ("def net(spec) -> Network: return Network(parts(10, 5), 'N')", "fails on images (2, 1, 8"),
        ("def net(spec, width: int) -> Network: ...", "model.width is not set, and own.net has no"),
        ("def net(spec, width: 'Width' = 3) -> Network: ...", "name 'Width' is not defined"),
        ("net = Network", "is no function defined in own"),
        ("raise RuntimeError('no')", "model._target_=own.net: no"),
    ],
)
def test_what_is_no_network_is_told_what_one_has(resx, tmp_path, monkeypatch, function, message):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own", raising=False)
    (tmp_path / "own.py").write_text(HEAD + function)
    (tmp_path / "mine" / "model").mkdir(parents=True)
    yaml = "# @package _global_\ndepth: 3\nblock: any\nmodel: {_target_: own.net, name: own}\n"
    (tmp_path / "mine" / "model" / "own.yaml").write_text(yaml)
    answer = resx("train", "model=own", "--config-dir", "mine", "trust=[own]")
    assert_refused(answer, message)
