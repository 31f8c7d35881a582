"""Blocks are deleted and swapped as Veit et al. do, and come back."""

from functools import partial
from itertools import chain, combinations

import pytest
import torch
from torch import nn

from resx.analyses.lesion import half_length, lesion
from resx.analyses.parts.gradient_paths import input_gradient, one_path
from resx.analyses.parts.surgery import Blocks, deleted, swapped


@pytest.fixture
def experiment(fresh):
    return partial(fresh, "depth=14", "model.width=4")


@pytest.fixture
def images(experiment):
    return next(experiment().dataset.evaluation_batches("test", 16))[0]


def silence(block: nn.Module) -> None:
    """F(x) = 0."""
    nn.init.zeros_(block.branch[-1].weight)
    nn.init.zeros_(block.branch[-1].bias)


@torch.no_grad()
def test_deleting_a_silent_block_or_none_changes_nothing(experiment, images):
    network = experiment().network.eval()
    silence(network.stage2[1])
    blocks, before = Blocks(network, images), network(images)
    with deleted(blocks, []):
        assert torch.equal(network(images), before)
    with deleted(blocks, [blocks.names.index("stage2.1")]):
        assert torch.equal(network(images), before)
    with deleted(blocks, [0]):
        assert not torch.allclose(network(images), before)
    assert torch.equal(network(images), before)


@torch.no_grad()
def test_without_a_plain_block_its_input_goes_on(experiment, images):
    network = experiment("residual=false").network.eval()
    blocks = Blocks(network, images)
    kept = [block for name, block in network.blocks() if name != "stage1.1"]
    expected = nn.Sequential(network.stem, *kept, network.head)(images)
    with deleted(blocks, [1]):
        assert torch.equal(network(images), expected)
    changes = [name for i, name in enumerate(blocks.names) if not blocks.deletable(i)]
    assert changes == ["stage2.0", "stage3.0"]


@torch.no_grad()
def test_swapped_blocks_come_back(experiment, images):
    network = experiment().network.eval()
    blocks, before = Blocks(network, images), network(images)
    first, second = network.stage1[0], network.stage1[1]
    with swapped(blocks, [(0, 1)]) as tau:
        assert (network.stage1[0], network.stage1[1]) == (second, first)
        assert tau == pytest.approx(1 - 2 * 2 / (6 * 5))  # one pair of fifteen is out of order
        assert not torch.allclose(network(images), before)
    assert (network.stage1[0], network.stage1[1]) == (first, second)
    assert torch.equal(network(images), before)


def test_the_gradient_is_the_sum_over_all_paths(experiment):
    """The unravelled view (Veit 2016, Eq. 4 and 5) is exact for the gradient: 2^n paths."""
    network = experiment("depth=8").network.double().eval()
    images, labels = next(experiment().dataset.evaluation_batches("train_clean", 8))
    batch = images.double(), labels
    blocks = Blocks(network, batch[0])
    paths = chain.from_iterable(combinations(range(3), k) for k in range(4))
    total = torch.zeros(())
    for path in paths:
        with one_path(blocks, path):
            total = total + input_gradient(blocks, batch)
    assert torch.allclose(total, input_gradient(blocks, batch), atol=1e-12)


def test_rows_hold_every_block_and_paths_of_residual_nets_only(experiment):
    pair = [experiment(f"residual={r}") for r in (False, True)]
    rows = lesion(pair, images=32, draws=1, most=2, path_draws=1, path_images=8).rows
    counts = rows.groupby("residual")["kind"].value_counts()
    # Of blocks that keep their shape only two are alike, so that there is one pair to swap.
    assert counts[True].to_dict() == {"whole": 1, "delete": 6, "random": 2, "swap": 1, "path": 7}
    assert "path" not in counts[False]
    unable = rows[(rows["kind"] == "delete") & rows["error"].isna()]
    assert unable["name"].to_list() == ["stage2.0", "stage3.0"]
    paths = rows[rows["kind"] == "path"]
    assert paths["paths"].sum() == pytest.approx(1)
    assert 0 <= half_length(paths) <= 6
