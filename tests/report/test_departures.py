"""A run is called faithful only if it does what the paper did."""

import pytest

from resx.config.composing import compose
from resx.config.settings import flattened
from resx.report.departures import departures, departures_of
from resx.report.protocol import protocol_of


def test_departures_name_the_value_and_the_papers():
    protocol = {"recipe.steps": 64_000, "recipe.lr": 0.1, "model.shortcut": ["A", "B"]}
    settings = {"recipe.steps": 200, "recipe.lr": 0.1, "model.shortcut": "B"}
    assert departures(settings, protocol) == "steps 200 (paper: 64000)"
    assert departures(settings | {"recipe.steps": 64_000}, protocol) == "none"


@pytest.mark.parametrize(
    ("reference", "overrides", "images", "expected"),
    [
        ("he2015_fig6", ["data=cifar10", "recipe=he2015_cifar"], 50_000, "none"),
        ("he2015_fig6", ["data=cifar10"], 45_000, "images 45000 (paper: 50000)"),
        ("he2015_fig6", ["data=cifar10", "recipe.lr=0.2"], 50_000, "lr 0.2 (paper: 0.1)"),
        ("he2015_fig6", ["data=cifar10", "recipe.record_every=50"], 50_000, "none"),
    ],
)
def test_the_protocol_is_the_request_that_repeats_it(reference, overrides, images, expected):
    settings = flattened(compose(*overrides)) | {"images": images}
    assert departures(settings, protocol_of(reference)) == expected


def test_a_plain_net_has_no_shortcut_to_depart_in(runs):
    runs.write({(56, False): (0.1,), (56, True): (0.1,)}, model__shortcut="C")
    found = departures_of(runs.collect().runs, {"model.shortcut": ["A"]})
    assert sorted(found.values()) == ["none", "shortcut C (paper: A)"]


def test_a_width_left_to_the_network_departs_in_nothing_beside_one_that_is_given(runs):
    """Beside a number, a table's missing value is NaN, which equals nothing."""
    runs.write_one(56, True, 0, 0.1, model__width=8)
    runs.write_one(56, True, 1, 0.1)
    found = departures_of(runs.collect().runs, {"model.width": None})
    assert sorted(found.values()) == ["none", "width 8 (paper: none)"]


def test_without_a_protocol_there_are_no_departures_to_name(runs):
    runs.write({(56, True): (0.1, 0.2)})
    assert set(departures_of(runs.collect().runs, None).values()) == {"-"}
    assert "departures from the protocol" not in runs.report().tables.networks
