"""A run is called faithful only if it does what the paper did."""

import pytest

from resx.config.composing import compose
from resx.config.settings import flattened
from resx.reference.protocols import protocols
from resx.report.departures import (
    Departure,
    compare_runs,
    cut_warmup,
    defaults,
    depart,
    departures_table,
    describe_departures,
    describe_protocols,
)

CIFAR = ("data=cifar10",)
CHANNEL = (*CIFAR, "data.normalize=channel")
IMAGENET = ("data=imagenet", "data.root=/images")
TEN_CROPS = (*IMAGENET, "data.crops=10", "data.normalize=pixel", "model.shortcut=A")
# The request that repeats each paper, and what it departs in all the same.
REPEATED = {
    "he2015_cifar": ((*CIFAR, "recipe=he2015_cifar"), 50_000, set()),
    "he2015_imagenet": ((*TEN_CROPS, "recipe=he2015_imagenet"), 1_281_167, set()),
    "he2016_cifar": ((*CIFAR, "model=preact", "recipe=he2016_cifar"), 50_000, set()),
    "zagoruyko2016_cifar": (
        (*CHANNEL, "model=wide", "recipe=zagoruyko2016_cifar"),
        50_000,
        {"padding"},  # unless data.padding=reflect is asked for
    ),
    "xie2017_cifar": ((*CHANNEL, "model=resnext", "recipe=xie2017_cifar"), 50_000, set()),
    "huang2017_cifar": ((*CHANNEL, "model=densenet", "recipe=huang2017_cifar"), 50_000, set()),
    "srivastava2015_cifar": (
        (*CIFAR, "model=highway", "recipe=srivastava2015_cifar"),
        50_000,
        {"schedule", "warmup"},  # a cosine and a warm-up, as the paper's values are not printed
    ),
    "dosovitskiy2021_imagenet": (
        (*IMAGENET, "model=vit", "recipe=dosovitskiy2021_imagenet"),
        1_281_167,
        set(),
    ),
}


def departures(name, *overrides, images=50_000):
    settings = flattened(compose(*overrides)) | {"images": images}
    return [*depart(defaults() | settings, protocols()[name])]


@pytest.mark.parametrize("name", sorted(protocols()))
def test_the_recipe_of_a_paper_departs_in_nothing_but_what_is_named(name):
    overrides, images, expected = REPEATED[name]
    found = {departure.setting for departure in departures(name, *overrides, images=images)}
    assert found - {"padding"} == expected - {"padding"}
    assert found <= expected


@pytest.mark.parametrize("name", sorted(protocols()))
@pytest.mark.parametrize("change", ["recipe.optimizer", "data.flip", "data.subset"])
def test_a_recipe_changed_by_hand_departs(name, change):
    """It could not while the protocol was composed from our own recipe."""
    overrides, images, _ = REPEATED[name]
    optimizer = "sgd" if "dosovitskiy" in name else "adamw"
    value = {"recipe.optimizer": optimizer, "data.flip": "false", "data.subset": "5000"}[change]
    found = departures(name, *overrides, f"{change}={value}", images=images)
    assert change.split(".")[1] in {departure.setting for departure in found}


@pytest.mark.parametrize(
    ("overrides", "images", "expected"),
    [
        ((), 45_000, []),
        ((), 5_000, [("images", "5,000", "50,000 or 45,000")]),
        (("recipe.lr=0.2",), 50_000, [("lr", "0.2", "0.1")]),
        (("recipe.steps=400",), 50_000, [("steps", "400", "64,000")]),
        (("recipe.nesterov=true",), 50_000, [("nesterov", "yes", "no")]),
        (("recipe.micro_batch=32",), 50_000, [("micro_batch", "32", "64")]),
        (("recipe.micro_batch=64",), 50_000, []),  # as on the paper's two GPUs
        (("recipe.milestones=[1,2]",), 50_000, [("milestones", "1/2", "32,000/48,000")]),
        (("recipe.schedule=cosine",), 50_000, [("schedule", "cosine", "multistep")]),
        (("data.pad=0",), 50_000, [("pad", "0", "4")]),
        (("recipe.record_every=50",), 50_000, []),
        (("model.drop_path=0.5",), 50_000, [("drop_path", "0.5", "0.0")]),
        (("model.shortcut=C", "residual=false"), 50_000, []),  # a plain net has none
        (("model.shortcut=C",), 50_000, [("shortcut", "C", "A")]),
        (("recipe.warmup=none",), 50_000, []),  # below 110 layers there is none anyway
        (("recipe.warmup=none", "depth=110"), 50_000, [("warmup", "none", "error")]),
        (("recipe.warmup_min_depth=0",), 50_000, [("warmup", "error", "none")]),
        (("precision=bf16",), 50_000, [("precision", "bf16", "fp32")]),
    ],
)
def test_departures_name_our_value_and_the_papers(overrides, images, expected):
    found = departures("he2015_cifar", *CIFAR, *overrides, images=images)
    assert found == [Departure(*d) for d in expected]


def test_another_family_departs():
    found = departures("he2015_cifar", *CIFAR, "model=preact", "recipe=he2015_cifar")
    assert Departure("model", "preact", "resnet") in found


def test_runs_without_a_study_are_held_against_their_familys_protocol(runs):
    runs.write({(20, True): (0.1, 0.2)}, model__name="resnet")
    runs.write({(20, True): (0.1, 0.2)}, model__name="preact")
    runs.write({(20, True): (0.1, 0.2)}, model__name="vit")
    collected = runs.collect().runs
    compared = compare_runs(collected, None)
    names = {run["model.name"]: compared[d].protocol for d, run in collected.iterrows()}
    assert names["resnet"].name == "he2015_cifar"
    assert names["preact"].name == "he2016_cifar"
    assert names["vit"] is None
    assert not any(comparison.is_faithful for comparison in compared.values())
    named = compare_runs(collected, "he2015_imagenet")
    assert {comparison.protocol.name for comparison in named.values()} == {"he2015_imagenet"}


def test_a_setting_that_a_stored_run_does_not_have_is_its_default(runs):
    directory = runs.write_one(56, True, 0, 0.1)
    text = (directory / "config.yaml").read_text()
    kept = [line for line in text.splitlines() if "nesterov" not in line and "norm:" not in line]
    (directory / "config.yaml").write_text("\n".join(kept))
    (comparison,) = compare_runs(runs.collect().runs, None).values()
    found = {departure.setting for departure in comparison.departures}
    assert "steps" in found
    assert not found & {"nesterov", "norm"}


def test_a_width_left_to_the_network_departs_in_nothing_beside_one_that_is_given(runs):
    """Beside a number, a table's missing value is NaN, which equals nothing."""
    runs.write_one(56, True, 0, 0.1, model__width=8)
    runs.write_one(56, True, 1, 0.1)
    compared = compare_runs(runs.collect().runs, None).values()
    widths = [[d for d in c.departures if d.setting == "width"] for c in compared]
    assert sorted(map(len, widths)) == [0, 1]


def test_each_distinct_departure_is_said_once_with_who_has_it(runs):
    for name in ("resnet", "preact"):
        runs.write({(20, True): (0.1, 0.2), (56, False): (0.1,)}, model__name=name)
    runs.write_one(20, True, 7, 0.1, model__name="preact", recipe__lr=0.3)
    collected = runs.collect().runs
    table = departures_table(collected, compare_runs(collected, None))
    assert not table.duplicated(["setting", "ours", "the paper's"]).any()
    who = {(row.setting, row.ours): row.runs for row in table.itertuples()}
    assert who["data", "digits"] == "all"
    assert who["lr", "0.3"] == "residual-20"
    assert table.map(len).to_numpy().max() < 60  # short enough for a table


def test_a_report_of_any_runs_says_what_they_depart_in(runs):
    """400 steps on 5,000 images are not the paper's experiment."""
    runs.write({(56, True): (0.1, 0.2), (56, False): (0.3,)})
    report = runs.report()
    (sentence,) = [s for s in report.sentences if "depart" in s]
    assert sentence.startswith("Runs depart from he2015_cifar in data, images,")
    assert "steps" in sentence
    assert "departures" not in report.tables.networks  # of all networks alike: said once, above
    runs.write({(6, True): (0.1,)}, model__name="vit")  # no paper is about such a network
    table = runs.report().tables.networks
    count = len(report.tables.departures)
    assert set(table["departures"]) == {f"{count} from he2015_cifar", "-"}
    (protocol,) = report.protocols
    assert protocol.startswith("he2015_cifar: He et al. 2015, CIFAR-10 (arXiv:1512.03385, Sec. 4.2")
    assert "two GPUs" in protocol
    assert report.same_protocol_as is None


def test_without_a_protocol_there_are_no_departures_to_name(runs):
    runs.write({(6, True): (0.1, 0.2)}, model__name="vit")
    report = runs.report()
    assert describe_departures(report.compared) == ""
    assert describe_protocols(report.compared) == []
    assert report.tables.departures is None
    assert "departures" not in report.tables.networks


def test_the_papers_curves_are_behind_ours_only_at_its_full_protocol(faithful, runs):
    faithful({(56, True): (0.001,), (56, False): (0.06,)})
    assert runs.report().same_protocol_as == "he2015_cifar"
    faithful({(44, True): (0.001,)}, recipe__steps=400)
    assert runs.report(rows=("depth",)).same_protocol_as is None


def test_a_warm_up_that_its_limit_ended_departs():
    """plain-110 may never fall below 80 % at the low rate."""
    settings = {"recipe.warmup": "error", "recipe.warmup_limit": 2000}
    assert cut_warmup(settings, 2000)
    assert not cut_warmup(settings, 450)
    assert not cut_warmup(settings, None)
    assert not cut_warmup(settings | {"recipe.warmup": "linear"}, 2000)
