"""Networks at their first weights, for all analyses."""

from dataclasses import replace

import pytest

from resx.experiment import prepare


@pytest.fixture
def fresh(configure, tmp_path):
    """The digits with a ResNet-8, or with what the overrides say, or with a given network."""

    def make(*overrides, network=None):
        ours = prepare(configure("train", "depth=8", f"outputs={tmp_path}", *overrides))
        return ours if network is None else replace(ours, network=network)

    return make
