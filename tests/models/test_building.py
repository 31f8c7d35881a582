"""From a configuration to a network: every yaml, its defaults, and refusals with full names."""

import inspect
import sys
from types import ModuleType

import pytest
import torch
from hydra.utils import get_object
from torch import nn

from resx.config.composing import compose_raw
from resx.errors import RequestError
from resx.models.building import build_network
from resx.models.parts.network import Network, Spec
from scripts.networks import composed, configure
from tests.conftest import yamls

CPU = torch.device("cpu")


@pytest.mark.parametrize("residual", ["true", "false"])
@pytest.mark.parametrize("name", yamls("model"))
def test_every_model_yaml_classifies(name, residual):
    config = configure(f"model={name} residual={residual}")
    network = build_network(config, 7, 3, 32, CPU)
    assert network(torch.rand(2, 3, 32, 32)).shape == (2, 7)


@pytest.mark.parametrize("name", yamls("model"))
def test_a_yaml_has_every_option_with_the_default_of_the_family(name):
    model = dict(composed((f"model={name}",)).model)
    family = inspect.signature(get_object(model.pop("_target_")), eval_str=True)
    assert model.pop("name") == name
    assert next(iter(family.parameters.values())).annotation is Spec
    assert family.return_annotation is Network
    assert model == {p.name: p.default for p in family.parameters.values() if p.name != "spec"}


class Unknown(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))


class Block(nn.Module):
    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.branch(x)


def family(spec: Spec, flaw: str = "") -> Network:
    """A family from outside the repository, with a flaw."""
    if flaw == "option":
        raise ValueError(f"flaw={flaw}: must be none")
    if flaw == "size":
        raise ValueError(f"image_size={spec.image_size}: must be 7")
    parts: dict[str, nn.Module] = {"stem": nn.Flatten()}
    inner = Unknown() if flaw == "weights" else nn.Linear(64, 64)
    parts["stage1"] = nn.Sequential(inner if flaw == "branch" else Block(inner))
    if flaw != "head":
        parts["head"] = nn.Linear(64, spec.num_classes)
    return Network(parts, "" if flaw == "title" else "Own-1")


@pytest.fixture
def own(monkeypatch):
    """The configuration of the family above, with its flaw."""
    module = ModuleType("own_package")
    monkeypatch.setitem(sys.modules, "own_package", module)
    module.family = family
    monkeypatch.setattr(family, "__module__", "own_package")

    def make(flaw=""):
        config = configure("data=digits")
        config.model = {"_target_": "own_package.family", "name": "own", "flaw": flaw}
        config.trust = ["own_package"]
        return config

    return make


def test_a_family_from_outside_is_built_like_ours(own):
    network = build_network(own(), 10, 1, 8, CPU)
    assert network(torch.rand(2, 1, 8, 8)).shape == (2, 10)


@pytest.mark.parametrize(
    ("flaw", "message"),
    [
        ("option", "model.flaw=option: must be none"),
        ("size", "data.image_size=8: must be 7"),
        ("title", "model._target_=own_package.family: the network has no title"),
        ("head", "model._target_=own_package.family: the network Own-1 has no head"),
        (
            "branch",
            "model._target_=own_package.family: stage1.0 of the network Own-1 has no branch",
        ),
        ("weights", "model._target_=own_package.family: stage1.0.branch is a Unknown, whose first"),
    ],
)
def test_what_a_family_from_outside_lacks_is_said_in_one_line(own, flaw, message):
    with pytest.raises(RequestError) as refused:
        build_network(own(flaw), 10, 1, 8, CPU)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


def test_depth_and_block_are_set_by_the_yaml_of_the_model():
    assert (compose_raw(["model=resnext"]).depth, compose_raw(["model=vit"]).block) == (
        29,
        "encoder",
    )
