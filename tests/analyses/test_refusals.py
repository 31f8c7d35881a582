"""What cannot be compared, or does not fit into memory, is refused before the work."""

import math
from importlib import import_module

import pytest
import torch

from resx.analyses.parts import memory
from resx.analyses.parts.additions import refuse_unless_added
from resx.analyses.parts.batch_norm import statistics_used
from resx.analyses.parts.facts import refuse_mixed
from resx.analyses.parts.memory import outputs_of_layers
from resx.analyses.parts.sample import Sample
from resx.analyses.subjects import refuse_not_finite, without_twin
from resx.errors import RequestError

BY_DEPTH = (
    "curvature",
    "gradient_flow",
    "gradient_noise",
    "identity",
    "landscape",
    "lesion",
    "rank",
    "refinement",
    "responses",
    "shattering",
)


def analysis(name):
    return getattr(import_module(f"resx.analyses.{name}"), name)


@pytest.mark.parametrize("name", BY_DEPTH)
def test_networks_of_two_families_are_no_seeds_of_one(fresh, name):
    mixed = [fresh("model.width=2"), fresh("model=preact", "model.width=2")]
    with pytest.raises(ValueError, match=r"^family: networks of several \(preact, resnet\)"):
        analysis(name)(mixed)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("model.width=2", "model.width=4", r"^model.width: networks of several \(2, 4\)"),
        ("model.shortcut=A", "model.shortcut=C", r"^model.shortcut: networks of several \(A, C\)"),
        ("model.zero_init_last=true", "", r"^model.zero_init_last: .* \(True, default\)"),
        ("recipe.lr=0.2", "recipe.lr=0.3", r"^recipe.lr: networks of several \(0.2, 0.3\)"),
        ("data.subset=100", "", r"^(images|data.subset): networks of several"),
        ("data.pad=1", "data.pad=0", r"^data.pad: networks of several"),
        ("block=bottleneck depth=11", "", r"^block: networks of several"),
    ],
)
def test_what_depth_kind_and_seed_do_not_say_is_refused(fresh, first, second, message):
    """Otherwise networks of several widths, shortcuts or recipes would be seeds of one."""
    with pytest.raises(ValueError, match=message):
        refuse_mixed([fresh(*first.split()), fresh(*second.split())])


def test_twins_and_seeds_belong_together_whatever_the_logistics(fresh):
    kinds = [fresh(f"residual={r}", f"seed={s}") for r in ("true", "false") for s in (0, 1)]
    refuse_mixed([*kinds, fresh("depth=14", "device=cpu", "recipe.snapshots=3")])


def test_what_an_analysis_tells_apart_itself_is_not_refused(fresh):
    mixed = [fresh("model.width=2"), fresh("model.width=2", "model.norm=none")]
    refuse_mixed(mixed, apart=["norm"])
    with pytest.raises(ValueError, match=r"^norm: networks of several \(batch, none\)"):
        refuse_mixed(mixed)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("curvature", "images=100: a Hessian"),
        ("gradient_flow", "images=256: a gradient"),
        ("gradient_noise", "batch_size=64: a gradient"),
        ("identity", "images=256: holding the inputs of all blocks"),
        ("landscape", "images=128: a pass"),
        ("lesion", "images=360: a pass"),
        ("refinement", "images=256, probe_images=512: holding what all blocks"),
        ("responses", "images=512: a pass"),
        ("rank", "images=128: holding the outputs of all blocks"),
        ("shattering", "paths=16: the gradients at 272 points"),
    ],
)
def test_what_does_not_fit_into_memory_is_refused(fresh, monkeypatch, name, asked):
    monkeypatch.setattr(memory, "available_memory", lambda device: 10**4)
    with pytest.raises(ValueError, match=f"^{asked}.* needs about .* GB"):
        analysis(name)([fresh()])


def test_the_graph_of_a_gradient_is_estimated_from_what_layers_put_out(fresh):
    """Autograd keeps no more than one number for each: the estimate is above, and not far."""
    ours = fresh()
    images, labels = next(ours.dataset.evaluation_batches("test", 32))
    kept = {}

    def pack(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        torch.nn.functional.cross_entropy(ours.network(images), labels)
    weights = {p.untyped_storage().data_ptr() for p in ours.network.parameters()}
    size = sum(storage.nbytes() for place, storage in kept.items() if place not in weights)
    estimate = memory.BYTES * memory.GRAPH * len(images) * outputs_of_layers(ours)
    assert 0.4 * estimate < size <= estimate


GATED = ("gate=exclusive", "gate=shortcut_only", "shortcut_scale=0.5", "branch_scale=0.5")
ADDED = ("original", "bn_after", "relu_before", "relu_only", "full")


@pytest.mark.parametrize("name", ["lesion", "refinement", "identity"])
@pytest.mark.parametrize(
    "network",
    ["model=highway depth=8", "model=densenet depth=13", f"model=preact model.{GATED[0]}"],
)
def test_what_a_branch_adds_is_not_asked_of_gates_and_concatenations(fresh, name, network):
    with pytest.raises(ValueError, match=r"stage1\.\d is not its shortcut plus its branch"):
        analysis(name)([fresh(*network.split())])


@pytest.mark.slow
def test_all_blocks_that_add_are_taken_and_no_other(fresh):
    for option in GATED:
        with pytest.raises(ValueError, match="gated, scaled or concatenated"):
            refuse_unless_added(fresh("model=preact", "model.width=2", f"model.{option}"))
    for order in ADDED:
        refuse_unless_added(fresh("model=preact", "model.width=2", f"model.order={order}"))
    for network in ("model=vit depth=1", "model.norm=none", "depth=11 block=bottleneck"):
        refuse_unless_added(fresh(*network.split()))
    for chain in ("model=highway depth=8", "model=densenet depth=13"):
        refuse_unless_added(fresh(*chain.split(), "residual=false"))


def test_a_batch_of_augmented_images_has_as_many_as_were_counted(fresh):
    ours = fresh("data.subset=100")
    sample = Sample("train", 10**4, augment=True)
    assert len(sample.of(ours)[1]) == sample.size(ours) == 100


@pytest.mark.parametrize("damage", [math.nan, math.inf])
def test_weights_that_are_not_finite_are_refused_by_name(fresh, damage):
    ours = fresh("seed=3")
    refuse_not_finite(ours)
    ours.network.stage1[0].branch[0].weight.data[0, 0, 0, 0] = damage
    message = (
        r"^stage1\.0\.branch\.0\.weight of ResNet-8 .*, seed 3, has numbers that are not finite"
    )
    with pytest.raises(RequestError, match=message):
        refuse_not_finite(ours)


def test_a_network_without_any_shortcut_is_plain_whatever_took_them(fresh):
    nets = [fresh("model=vit", "depth=2", f"model.skip={skip}") for skip in ("both", "none")]
    assert without_twin(nets) == []
    assert without_twin(nets[:1]) == ["no plain twin of vit-2"]
    assert without_twin(nets[1:]) == ["no residual twin of plain vit-2"]


def test_fresh_averages_are_never_used_and_the_record_says_so(fresh):
    ours = fresh()
    assert statistics_used(ours.network, "eval") == "train"
    ours.network.train()(torch.rand(8, 1, 8, 8))
    assert [statistics_used(ours.network, asked) for asked in ("eval", "train")] == [
        "eval",
        "train",
    ]
