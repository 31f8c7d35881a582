"""The blocks beyond ResNet's compute the papers' equations."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from resx.models.densenet import ChainLayer, DenseLayer, densenet
from resx.models.highway import HighwayLayer, gate_bias_for, highway
from resx.models.parts.complexity import parameters
from resx.models.parts.initialization import initialize
from resx.models.parts.preactivation import PlainUnit, PreActUnit, VariantUnit, ordered
from resx.models.preact import preact
from resx.models.vit import vit
from resx.models.wide import wide

KINDS = {nn.BatchNorm2d: "b", nn.ReLU: "r", nn.Conv2d: "c"}


# He 2016, Fig. 4: branch and what follows the addition, for two convolutions.
@pytest.mark.parametrize(
    ("order", "branch", "after"),
    [
        ("original", "cbrcb", "r"),
        ("bn_after", "cbrc", "br"),
        ("relu_before", "cbrcbr", ""),
        ("relu_only", "rcbrcb", ""),
        ("full", "brcbrc", ""),
    ],
)
def test_the_five_orders_are_the_papers(order, branch, after):
    parts = ordered([nn.Conv2d(2, 2, 1), nn.Conv2d(2, 2, 1)], order)
    assert ["".join(KINDS[type(m)] for m in part) for part in parts] == [branch, after]


@pytest.mark.parametrize("order", ["relu_before", "relu_only", "full"])
def test_with_an_identity_after_the_addition_the_input_passes_a_silent_branch_unchanged(order):
    unit = PreActUnit(4, 4, 1, "A", order=order)
    convolutions = [m for m in unit.branch if isinstance(m, nn.Conv2d)]
    nn.init.zeros_(convolutions[-1].weight)
    x = torch.randn(2, 4, 5, 5)  # negative values too: no ReLU stands in the way
    before = x.clone()
    assert torch.equal(unit(x), before)
    assert torch.equal(x, before)


def test_where_the_shape_changes_the_shortcut_starts_from_the_activated_input():
    unit, x = PreActUnit(4, 8, 2, "B").eval(), torch.randn(2, 4, 6, 6)
    activated = F.relu(x / (1 + 1e-5) ** 0.5)
    assert [type(m) for m in unit.before] == [nn.BatchNorm2d, nn.ReLU]
    expected = unit.shortcut(activated) + unit.branch(activated)
    assert torch.allclose(unit(x), expected, atol=1e-6)


def test_a_plain_unit_is_the_residual_one_without_its_addition():
    plain, residual = PlainUnit(4, 4, 1), PreActUnit(4, 4, 1, "A")
    residual.load_state_dict(plain.state_dict())
    x = torch.randn(2, 4, 5, 5)
    assert torch.equal(residual(x), x + plain(x))


def variant(**options):
    unit = VariantUnit(4, 4, 1, "A", order="original", **options).eval()
    return unit, torch.randn(2, 4, 5, 5)


# He 2016, Table 1 and Fig. 2; the unit is the original one, so a ReLU follows.
def test_constant_scaling_weighs_shortcut_and_branch():
    unit, x = variant(shortcut_scale=0.5, branch_scale=0.25)
    assert torch.allclose(unit(x), F.relu(0.5 * x + 0.25 * unit.branch(x)))


def test_exclusive_gating_shares_between_branch_and_shortcut():
    unit, x = variant(gate="exclusive", gate_bias=-1.0)
    share = unit.gate(x)
    assert torch.allclose(unit(x), F.relu(share * unit.branch(x) + (1 - share) * x))


def test_shortcut_only_gating_leaves_the_branch_whole():
    unit, x = variant(gate="shortcut_only", gate_bias=-1.0)
    assert torch.allclose(unit(x), F.relu(unit.branch(x) + (1 - unit.gate(x)) * x))


def test_a_closed_gate_is_the_original_unit():
    unit, x = variant(gate="shortcut_only", gate_bias=-60.0)
    assert torch.equal(unit(x), F.relu(unit.branch(x) + x))


def test_dropout_on_the_shortcut_acts_only_while_training():
    unit, x = variant(shortcut_dropout=0.5)
    assert torch.equal(unit(x), F.relu(x + unit.branch(x)))
    unit.branch.requires_grad_(False)
    nn.init.zeros_(unit.branch[-1].weight)
    kept = unit.train()(torch.ones(8, 4, 5, 5))
    assert set(kept.unique().tolist()) == {0.0, 2.0}


@pytest.mark.parametrize(
    ("order", "first", "last"),
    [("full", "c", ["BatchNorm2d", "ReLU"]), ("relu_only", "r", ["ReLU"]),
     ("original", "c", []), ("bn_after", "c", []), ("relu_before", "c", [])],
)  # fmt: skip
def test_the_stem_activates_for_the_first_unit_and_the_head_for_the_last(order, first, last):
    """Full pre-activation moves its first BN and ReLU to the stem; what is left over follows."""
    network = preact(20, True, "basic", "cifar", 10, order=order)
    assert len(network.stage1[0].before) == 0
    assert KINDS[type(network.stage1[0].branch[0])] == first
    assert [type(m).__name__ for m in network.head][: len(last) + 1] == [*last, "AdaptiveAvgPool2d"]


@pytest.mark.parametrize("shortcut", ["A", "B", "C"])
@pytest.mark.parametrize("order", ["original", "bn_after", "relu_before", "relu_only", "full"])
def test_every_order_takes_every_shortcut_and_gate_through_a_change_of_shape(order, shortcut):
    for gate in (None, "exclusive", "shortcut_only"):
        unit = VariantUnit(4, 8, 2, shortcut, order=order, gate=gate, gate_bias=0.0)
        y = unit(torch.randn(2, 4, 6, 6))
        assert y.shape == (2, 8, 3, 3)
        y.sum().backward()
        assert all(p.grad is not None for p in unit.parameters())


def test_a_wide_net_drops_out_between_its_convolutions():
    branch = wide(16, True, "basic", "cifar", 10, widening=2, dropout=0.3).stage2[1].branch
    kinds = [type(m).__name__ for m in branch.modules() if not list(m.children())]
    assert kinds == ["BatchNorm2d", "ReLU", "Conv2d", "BatchNorm2d", "ReLU", "Dropout", "Conv2d"]


def test_a_dense_layer_keeps_its_input_and_adds_growth_channels():
    layer, x = DenseLayer(6, 4, "basic", 0.0), torch.randn(2, 6, 5, 5)
    y = layer(x)
    assert y.shape == (2, 10, 5, 5)
    assert torch.equal(y[:, :6], x)
    assert torch.equal(y[:, 6:], layer.branch(x))


@pytest.mark.parametrize(("depth", "block"), [(40, "basic"), (100, "bottleneck")])
def test_the_chain_has_as_many_layers_and_nearly_as_many_parameters(depth, block):
    with torch.device("meta"):
        dense, chain = (densenet(depth, r, block, "cifar", 10) for r in (True, False))
    counts = [sum(isinstance(m, ChainLayer) for m in n.modules()) for n in (dense, chain)]
    assert counts[0] == counts[1]
    assert parameters(chain) == pytest.approx(parameters(dense), rel=0.05)
    assert f"{parameters(dense):,}" in chain.title


def test_no_other_width_of_the_chain_is_nearer():
    with torch.device("meta"):
        dense, chain = (densenet(13, r, "basic", "cifar", 10) for r in (True, False))
    width = chain.stage1[0].branch[2].out_channels

    def by_hand(w):  # stem, 9 layers, 2 transitions, head
        return 27 * w + 9 * (2 * w + 9 * w**2) + 2 * (2 * w + w**2) + 2 * w + 10 * w + 10

    assert by_hand(width) == parameters(chain)
    gaps = {w: abs(by_hand(w) - parameters(dense)) for w in (width - 1, width, width + 1)}
    assert min(gaps, key=gaps.__getitem__) == width


def test_a_highway_layer_mixes_by_its_gate_and_closed_is_the_identity():
    layer, x = HighwayLayer(4, 4, 1, -1.0), torch.randn(2, 4, 5, 5)
    share = layer.gate(x)
    assert torch.equal(layer(x), share * layer.branch(x) + (1 - share) * x)
    closed = HighwayLayer(4, 4, 1, -60.0)
    assert torch.allclose(closed(x), x, atol=1e-6)


def test_the_twin_of_a_highway_net_has_its_gates_wide_open():
    network, twin = (highway(10, r, "linear", "auto", 10, 1, 8, gate_bias=60.0) for r in (1, 0))
    weights = network.state_dict()
    twin.load_state_dict({k: v for k, v in weights.items() if ".gate." not in k})
    x = torch.randn(3, 1, 8, 8)
    assert torch.allclose(network(x), twin(x), atol=1e-5)


def test_gate_biases_follow_the_papers_rule():
    assert [gate_bias_for(depth) for depth in (5, 10, 20, 30, 100)] == [-1, -1, -2, -3, -3]


# Srivastava 2015 (arXiv:1507.06228), Sec. 3.1: 9, 19, 49, 99 layers after a first plain one.
@pytest.mark.parametrize("depth", [10, 20, 50, 100])
def test_a_fully_connected_highway_net_has_the_papers_layers(depth):
    network = highway(depth, True, "linear", "auto", 10, 1, 8)
    assert len(network.stage1) == depth - 1
    assert all(isinstance(layer, HighwayLayer) for layer in network.stage1)


@pytest.mark.parametrize(
    ("skip", "kept"), [("both", [1, 1]), ("attention", [1, 0]), ("mlp", [0, 1]), ("none", [0, 0])]
)
def test_a_transformer_keeps_the_skips_that_are_named(skip, kept):
    network = vit(3, True, "encoder", "auto", 10, 1, 8, skip=skip)
    assert [int(hasattr(u, "shortcut")) for u in network.stage1] == kept * 3


def test_a_plain_transformer_is_one_without_any_skip():
    plain, none = (
        vit(2, False, "encoder", "auto", 10, 1, 8),
        vit(2, True, "encoder", "auto", 10, 1, 8, skip="none"),
    )
    none.load_state_dict(plain.state_dict())
    x = torch.randn(2, 1, 8, 8)
    assert torch.equal(plain(x), none(x))


def test_without_skips_the_tokens_of_a_deep_transformer_become_alike():
    """Dong 2021 (arXiv:2103.03404): the output of attention tends to a matrix of rank one."""
    spread = {}
    for skip in ("both", "none"):
        network = vit(12, True, "encoder", "auto", 10, 1, 8, skip=skip)
        initialize(network, 0)
        with torch.no_grad():
            tokens = network.stage1(network.stem(torch.randn(8, 1, 8, 8)))
        spread[skip] = ((tokens - tokens.mean(1, keepdim=True)).norm() / tokens.norm()).item()
    assert spread["none"] < 0.1 * spread["both"]
