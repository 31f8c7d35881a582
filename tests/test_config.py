"""A configuration is checked where it enters; what decides a result decides the run's name."""

import pytest
from omegaconf import OmegaConf

from resx.config.components import build
from resx.config.run_hash import identity
from resx.config.schema import TrainConfig
from resx.config.settings import typed
from resx.errors import RequestError


def test_the_same_request_has_the_same_identity(configure):
    first = configure("train", "depth=20", "recipe.lr=0.1")
    again = configure("train", "recipe.lr=0.1", "depth=20")
    assert first.run_dir == again.run_dir


@pytest.mark.parametrize(
    "override",
    ["depth=32", "residual=false", "seed=1", "recipe.lr=0.2", "model.width=8", "data.subset=100",
     "precision=bf16", "recipe.record_every=5", "data.normalize=pixel"],
)  # fmt: skip
def test_what_decides_the_result_changes_the_identity(configure, override):
    assert identity(configure("train")) != identity(configure("train", override))


@pytest.mark.parametrize(
    "override",
    ["device=cpu", "outputs=/elsewhere", "data.root=/images", "data.workers=3", "force=true",
     "recipe.save_every=7", "compile=true", "deterministic=true", "trust=[other]",
     "checkpoint_activations=true"],
)  # fmt: skip
def test_where_and_how_it_is_computed_does_not(configure, override):
    assert identity(configure("train")) == identity(configure("train", override))


def test_identities_of_this_version_are_those_of_the_last(configure):
    """A change here orphans every run that users have: make it on purpose and say so."""
    assert identity(configure("train")) == "c57f85bbed"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("recipe.steps=0", "recipe.steps=0: must be at least 1"),
        ("recipe.batch_size=-4", "recipe.batch_size=-4: must be at least 1"),
        ("recipe.lr=nan", "recipe.lr=nan: must be at least 0"),
        ("recipe.optimizer=adam", "recipe.optimizer=adam: must be one of sgd, adamw"),
        ("recipe.eval_every=15", "recipe.eval_every=15: must be a multiple of record_every=10"),
        ("recipe.milestones=[3,2]", "must increase"),
        ("data.val_fraction=1", "data.val_fraction=1.0: must be in [0, 1)"),
        ("data.normalize=given", "needs data.mean and data.std"),
        ("precision=fp16", "precision=fp16: must be one of fp32, bf16"),
        ("seed=-1", "seed=-1: must be at least 0"),
    ],
)
def test_a_value_out_of_range_is_refused_with_the_rule(configure, override, message):
    with pytest.raises(RequestError) as refusal:
        configure("train", override)
    assert message in str(refusal.value)


def test_a_key_smuggled_in_with_a_plus_is_refused(configure):
    with pytest.raises(RequestError, match=r"unknown setting 'recipe.lrr'; did you mean"):
        configure("train", "+recipe.lrr=3")


def test_build_calls_only_targets_of_ours_or_trusted_ones():
    slot = {"_target_": "shutil.rmtree", "path": "/nowhere"}
    with pytest.raises(RequestError, match=r"_target_=shutil.rmtree: only targets in resx\."):
        build(slot)
    assert build({"_target_": "math.hypot"}, trust=["math"]) == 0.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": "abc"}, "model.width=abc: .* could not be converted to Integer"),
        ({"widht": 3}, "unknown option 'model.widht'; did you mean 'model.width'?"),
        ({"_target_": "resx.models.nowhere.net"}, "_target_=resx.models.nowhere.net: "),
    ],
)
def test_build_checks_options_against_the_functions_signature(configure, options, message):
    slot = configure("train").model | options
    with pytest.raises(RequestError, match=message):
        build(slot, group="model", num_classes=10, in_channels=3, image_size=32)


def test_missing_values_are_named():
    with pytest.raises(Exception, match="depth"):
        typed(OmegaConf.create({}), TrainConfig)
