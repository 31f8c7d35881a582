"""A block that is the identity already has nothing to learn."""

import pytest
import torch

from resx.analyses.identity import identity
from resx.analyses.parts.identity_lesson import keeping_blocks, learn_identity, without_norms
from resx.analyses.parts.layers import NORMS
from resx.models.parts.blocks import zero_last_norms


def test_a_silent_branch_is_no_change_and_no_error(fresh):
    ours = fresh()
    zero_last_norms(ours.network)
    rows = identity([ours], images=32, steps=1).rows
    sizes = rows[rows["kind"] == "size"]
    assert len(sizes) == 1  # of the three blocks, two change the shape
    assert sizes["size"].tolist() == [0.0]
    assert sizes["distance"].tolist() == [0.0]


def test_zero_init_has_learned_the_identity_at_step_0(fresh):
    rows = identity([fresh("model.zero_init_last=true")], images=32, steps=10).rows
    lessons = rows[(rows["kind"] == "lesson") & rows["with_norm"].eq(True)]
    assert lessons["error"].iloc[0] == 0.0
    assert set(lessons["reached"]) == {0}


def test_only_a_copy_learns(fresh):
    network = fresh().network
    images = torch.rand(16, 1, 8, 8)
    ((_, block, x),) = keeping_blocks(network, images)
    before = {k: v.clone() for k, v in block.state_dict().items()}
    errors = learn_identity(block, x, steps=20, lr=0.01, seed=0)
    assert errors[20] < errors[0]
    assert all(torch.equal(before[k], v) for k, v in block.state_dict().items())
    bare = without_norms(block)
    assert not any(isinstance(m, NORMS) for m in bare.modules())
    assert any(isinstance(m, NORMS) for m in block.modules())


@pytest.mark.slow
def test_without_norm_zero_is_far_easier_than_the_identity(fresh):
    """The notes' claim in its own setting; with batch norm it is no such matter."""
    nets = [fresh(f"residual={r}", f"seed={s}") for r in ("true", "false") for s in (0, 1, 2)]
    numbers = identity(nets, images=64, steps=100).summary
    residual, plain = (numbers[f"{k} block without norm"] for k in ("residual", "plain"))
    assert residual["error"] < 1e-6 < 1e-2 < plain["error"]
