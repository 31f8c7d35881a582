"""A configuration is checked where it enters."""

import pytest
from omegaconf import OmegaConf

from resx.config.checks import refuse_path
from resx.config.schema import TrainConfig
from resx.config.settings import from_stored, to_dict, validated
from resx.errors import RequestError


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("recipe.steps=0", "recipe.steps=0: must be at least 1"),
        ("recipe.batch_size=-4", "recipe.batch_size=-4: must be at least 1"),
        ("recipe.lr=nan", "recipe.lr=nan: must be a finite number, at least 0"),
        ("recipe.optimizer=adam", "recipe.optimizer=adam: must be one of sgd, adamw"),
        ("recipe.eval_every=15", "recipe.eval_every=15: must be a multiple of record_every=10"),
        ("recipe.milestones=[3,2]", "must increase"),
        ("recipe.micro_batch=24", "recipe.micro_batch=24: must divide recipe.batch_size=64"),
        ("data.val_fraction=1", "data.val_fraction=1.0: must be in [0, 1)"),
        ("data.normalize=given", "needs data.mean and data.std"),
        ("data.shorter_side=[480,256]", "data.shorter_side=[480, 256]: must be [LEAST, MOST]"),
        ("data.shorter_side=[256]", "must be [LEAST, MOST] for a crop of 224"),
        ("data.colour_noise=-1", "data.colour_noise=-1.0: must be at least 0"),
        ("precision=fp16", "precision=fp16: must be one of auto, fp32, tf32, bf16"),
        ("seed=-1", "seed=-1: must be at least 0"),
        ("objective=loss", "objective=loss: one of train, train_clean, val, test, /, and loss or"),
        ("objective=val/loss", "objective=val/loss: data.val_fraction=0 holds no images out"),
    ],
)
def test_a_value_out_of_range_is_refused_with_the_rule(configure, override, message):
    with pytest.raises(RequestError) as refusal:
        configure("train", override)
    assert message in str(refusal.value)


@pytest.mark.parametrize("setting", ["data.name", "model.name", "study.name"])
def test_names_become_folders_so_none_is_a_path(configure, setting):
    study = ["study=degradation"] if setting == "study.name" else []
    with pytest.raises(RequestError, match=rf"^{setting}=\.\./x: must be a plain name"):
        configure("train", *study, f"{setting}=../x")


@pytest.mark.parametrize("name", ["..", "/etc/x", "a/b", "a\\b", ".hidden", "x" * 101, "a..b", ""])
def test_a_name_that_is_a_path_is_refused(name):
    with pytest.raises(RequestError, match="must be a plain name"):
        refuse_path("data.name", name)


def test_a_key_smuggled_in_with_a_plus_is_refused(configure):
    with pytest.raises(RequestError, match=r"unknown setting 'recipe.lrr'; did you mean"):
        configure("train", "+recipe.lrr=3")


def test_missing_values_are_named():
    with pytest.raises(Exception, match="depth"):
        validated(OmegaConf.create({}), TrainConfig)


def test_a_stored_configuration_comes_back_as_it_was_but_for_trust(configure):
    config = configure("train", "depth=14", "model.width=8", "trust=[mine]", "force=true")
    again = from_stored(to_dict(config), TrainConfig)
    assert (again.trust, again.force) == ([], False)
    again.trust, again.force = config.trust, config.force
    assert again == config


def test_a_configuration_of_version_0_1_can_be_read(configure):
    """There the model's part repeated what stands at the top."""
    config = configure("train", "depth=14")
    stored = to_dict(config)
    stored["model"] |= {"depth": 14, "residual": True, "block": "basic", "layout": "auto"}
    assert from_stored(stored, TrainConfig) == config


@pytest.mark.parametrize("stored", [None, 3, "text", {"depth": "deep"}, {"recipe": [1]}, {}])
def test_what_is_no_configuration_is_refused_in_one_line(stored):
    with pytest.raises(RequestError, match=r"^the stored configuration|depth") as refusal:
        from_stored(stored, TrainConfig)
    assert "\n" not in str(refusal.value)
