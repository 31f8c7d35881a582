"""The hand-written protocols: complete, and about settings that there are."""

from dataclasses import fields

import pytest
import yaml

from resx.config.location import conf_dir
from resx.config.schema import RecipeConfig
from resx.reference.papers import paper_tables
from resx.reference.protocols import protocol_for, protocols
from resx.reference.published import published_curve
from resx.report.departures import defaults

NAMES = sorted(protocols())
# These change what is recorded, or the recipe's name, but no result that a paper could have.
RECORDING = {"name", "record_every", "eval_every", "save_every", "warmup_min_depth"}
RECORDING |= {"bn_reestimate", "warmup_limit", "snapshots"}


def known_settings(family):
    model = yaml.safe_load((conf_dir() / "model" / f"{family}.yaml").read_text())["model"]
    return {*defaults(), "images", *(f"model.{name}" for name in model)}


def said(protocol):
    return {*protocol.settings, *protocol.varies, *protocol.unstated}


def test_there_is_one_for_every_paper_whose_recipe_is_shipped():
    recipes = {path.stem for path in (conf_dir() / "recipe").glob("*20*_*.yaml")}
    assert recipes == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_of_a_protocol_exists(name):
    protocol = protocols()[name]
    for family in protocol.families:
        assert said(protocol) - known_settings(family) == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_protocol_speaks_of_every_setting_of_a_recipe_and_of_its_family(name):
    """Else a recipe of ours could depart from it unseen."""
    protocol = protocols()[name]
    recipe = {f"recipe.{f.name}" for f in fields(RecipeConfig) if f.name not in RECORDING}
    assert recipe - said(protocol) == set()
    for family in protocol.families:
        options = {k for k in known_settings(family) if k.startswith("model.")}
        assert options - said(protocol) - {"model._target_", "model.name"} == set()


@pytest.mark.parametrize("name", NAMES)
def test_what_it_names_is_there_and_nothing_is_said_twice(name):
    protocol = protocols()[name]
    assert protocol.cannot_be_matched
    assert all(sentence.endswith(".") for sentence in protocol.cannot_be_matched)
    assert set(protocol.tables) <= set(paper_tables())
    parts = [set(protocol.settings), set(protocol.varies), set(protocol.unstated)]
    assert sum(map(len, parts)) == len(said(protocol))
    if protocol.curves:
        assert not published_curve(protocol.curves, 18, False, "train").empty or (
            not published_curve(protocol.curves, 20, False, "train").empty
        )


@pytest.mark.parametrize(
    ("family", "size", "expected"),
    [
        ("resnet", 32, "he2015_cifar"),
        ("resnet", 8, "he2015_cifar"),
        ("resnet", 224, "he2015_imagenet"),
        ("resnet", 128, "he2015_imagenet"),
        ("preact", 32, "he2016_cifar"),
        ("vit", 224, "dosovitskiy2021_imagenet"),
        ("vit", 32, None),
        ("densenet", 224, None),
    ],
)
def test_family_and_images_choose_the_protocol(family, size, expected):
    protocol = protocol_for(family, size, streamed_from=64)
    assert (protocol and protocol.name) == expected
