"""Every model yaml builds a network that classifies, and so does its twin."""

import pytest
import torch

from resx.models.building import build_network
from tests.conftest import yamls


@pytest.mark.parametrize("residual", ["true", "false"])
@pytest.mark.parametrize("name", yamls("model"))
def test_every_model_yaml_classifies(name, residual, configure):
    config = configure("train", f"model={name}", f"residual={residual}")
    network = build_network(config, 7, 3, 32, torch.device("cpu"))
    assert network(torch.rand(2, 3, 32, 32)).shape == (2, 7)
