"""What decides a result decides the run's name; what does not, does not."""

import pytest

from resx.config.run_hash import RESULTS, STREAMED_RESULTS, run_hash
from resx.config.variation import Variation
from resx.store.store import Store


@pytest.fixture(scope="module")
def hash_with():
    """The hash of the default request with one more setting."""
    variation = Variation([])
    return lambda *lines: run_hash(variation.config(dict(line.split("=") for line in lines)))


def test_the_same_request_has_the_same_hash(configure):
    first = configure("train", "depth=20", "recipe.lr=0.1")
    again = configure("train", "recipe.lr=0.1", "depth=20")
    assert Store("outputs").run(first).directory == Store("outputs").run(again).directory


@pytest.mark.parametrize(
    "override",
    ["depth=32", "residual=false", "seed=1", "recipe.lr=0.2", "model.width=8", "data.subset=100",
     "precision=bf16", "recipe.record_every=5", "data.normalize=pixel", "model=wide",
     "recipe.micro_batch=32"],
)  # fmt: skip
def test_what_decides_the_result_changes_the_hash(hash_with, override):
    assert hash_with() != hash_with(override)


@pytest.mark.parametrize(
    "override",
    ["device=cpu", "outputs=/elsewhere", "data.root=/images", "data.workers=3", "force=true",
     "recipe.save_every=7", "compile=true", "cuda_graphs=false", "deterministic=true",
     "trust=[other]", "checkpoint_activations=true", "recipe.snapshots=8", "recipe.micro_batch=64"],
)  # fmt: skip
def test_where_and_how_it_is_computed_does_not(hash_with, override):
    assert hash_with() == hash_with(override)


# Recorded with version 0.1: a change here orphans every run that users have. Make it on purpose,
# and say so.
@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ("", "c57f85bbed"),
        ("model=resnet depth=14 residual=false recipe.steps=20", "f73ccc0b35"),
        ("model=wide depth=10 model.widening=2 recipe.steps=20", "72888ece7c"),
        ("model=highway depth=8 model.gate_bias=0 recipe.steps=20", "b86ff5cba3"),
        ("model=highway depth=8 recipe.steps=20", "234f7070e8"),
        ("model=vit depth=2 recipe=digits_adamw recipe.steps=20", "a79a36e7db"),
        ("data=folder data.root=x depth=8 recipe.steps=4 recipe.batch_size=8"
         " recipe.record_every=2 recipe.eval_every=2", "375b65ee58"),
        ("data=imagenet data.name=tiny data.root=x data.image_size=64 depth=18 model.width=8"
         " recipe.steps=2 recipe.batch_size=4", "7fed5f1830"),
        ("experiment=cifar_quick precision=bf16 data=folder data.name=cq data.root=x depth=8"
         " data.subset=10 recipe.steps=2 recipe.batch_size=4", "8b024973ab"),
    ],
)  # fmt: skip
def test_runs_of_version_0_1_are_found_by_their_hashes(configure, overrides, expected):
    """With its arithmetic and its recipes: running averages, AdamW's decay on all, no limit."""
    before = ("recipe.bn_reestimate=0", "recipe.decay_norms=true", "recipe.warmup_limit=null")
    config = configure("train", *overrides.split(), *before)
    assert run_hash(config, results=1) == expected


def test_other_arithmetic_is_another_run(hash_with):
    config = Variation([]).config({})
    assert hash_with() == run_hash(config, RESULTS) != run_hash(config, RESULTS - 1)
    assert run_hash(config, RESULTS) != run_hash(config, RESULTS + 1)


def test_streamed_images_without_the_papers_noise_are_another_run(configure):
    streamed = ("data=imagenet", "data.root=x")
    ours = run_hash(configure("train", *streamed))
    assert ours != run_hash(configure("train", *streamed, "data.colour_noise=0"))
    assert ours != run_hash(configure("train", *streamed, "data.shorter_side=null"))
    assert ours == run_hash(configure("train", *streamed, "data.colour_noise=0.1"))


def test_only_streamed_images_have_the_newer_number(configure):
    small, large = configure("train"), configure("train", "data=imagenet", "data.root=x")
    assert run_hash(small) == run_hash(small, RESULTS)
    assert run_hash(large) == run_hash(large, STREAMED_RESULTS) != run_hash(large, RESULTS)
