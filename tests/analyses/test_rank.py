"""Tokens that are averaged are one token; matrices have the rank that they have."""

import pytest
import torch
from torch import nn

from resx.analyses.analysis import ClaimVerdict
from resx.analyses.parts.collapse import effective_rank, token_residual
from resx.analyses.rank import rank


@pytest.fixture
def vit(fresh):
    def make(*overrides):
        return fresh("model=vit", "depth=3", "model.width=16", "model.heads=2", *overrides)

    return make


@pytest.mark.parametrize("norm", ["composite", "frobenius"])
def test_equal_tokens_have_no_residual_and_rank_one(norm):
    x = torch.randn(2, 1, 8, dtype=torch.float64).expand(2, 5, 8)
    assert token_residual(x, norm).tolist() == pytest.approx([0, 0], abs=1e-12)
    assert effective_rank(x).tolist() == pytest.approx([1, 1])
    opposite = torch.stack((x[0, 0], -x[0, 0]))[None]
    assert token_residual(opposite, norm).item() == pytest.approx(1)  # their mean is zero


def test_the_composite_norm_is_of_largest_column_and_row_sums():
    x = torch.tensor([[[1.0, -3.0], [3.0, 1.0]]])  # less the mean (2, -1): [[-1, -2], [1, 2]]
    expected = ((4 * 3) / (4 * 4)) ** 0.5
    assert token_residual(x, "composite").item() == pytest.approx(expected)


def test_the_effective_rank_of_an_orthogonal_matrix_is_full():
    assert effective_rank(3 * torch.eye(4)[None]).item() == pytest.approx(4)
    values = torch.tensor([0.5, 0.25, 0.25])
    assert effective_rank(torch.diag(values)[None]).item() == pytest.approx(2**1.5)  # 1.5 bits


def test_pure_averaging_attention_makes_rank_one(vit):
    """With queries of zero every token attends to all alike: all outputs are one vector."""
    ours = vit("residual=false")
    for name, module in ours.network.named_modules():
        if name.endswith("branch.1") and hasattr(module, "in_proj"):
            nn.init.zeros_(module.in_proj.weight[:16])
    rows = rank([ours], images=8).rows
    assert rows["token_residual"].iloc[0] > 0.5  # of the stem
    assert rows["token_residual"].iloc[1:].max() < 1e-5
    assert rows["effective_rank"].iloc[1:].to_list() == pytest.approx([1.0] * 6, abs=1e-3)


@pytest.mark.slow
def test_the_attentions_skip_keeps_tokens_apart_and_the_mlps_does_not(vit):
    nets = [
        vit(f"model.skip={skip}", f"seed={seed}")
        for skip in ("both", "attention", "mlp", "none")
        for seed in range(3)
    ]
    finding = rank(nets, images=16)
    assert (finding.claim, finding.verdict) == ("transformer", ClaimVerdict.CONFIRMED)
    last = finding.rows[finding.rows["block"] == 6].groupby("skip")["token_residual"].mean()
    assert last["both"] > last["attention"] > 20 * last["mlp"]
    assert finding.interval[0] > 20
    twins = [net for net in nets if net.config.model["skip"] in ("both", "none")]
    assert rank(twins, images=16).verdict is ClaimVerdict.LIMITED  # which skip is not known
    assert rank(nets[:1], images=16).verdict is ClaimVerdict.CANNOT_TELL


def test_other_networks_have_features_and_no_claim(fresh):
    nets = [fresh(f"residual={kind}", "model.width=4") for kind in ("true", "false")]
    finding = rank(nets, images=16)
    assert finding.claim == ""
    assert finding.rows["effective_rank"].between(1, 16).all()
    assert finding.rows["name"].tolist()[:2] == ["stem", "stage1.0"]


def test_features_of_equal_images_have_rank_one(fresh):
    ours = fresh("model.width=4")
    ours.dataset.splits["train"].images[:] = ours.dataset.splits["train"].images[:1]
    rows = rank([ours], images=16, batch_norm="eval").rows
    assert rows["effective_rank"].to_list() == pytest.approx([1.0] * 4, abs=1e-3)


def test_a_norm_that_does_not_exist_is_refused(fresh):
    with pytest.raises(ValueError, match="norm=spectral: must be one of composite, frobenius"):
        rank([fresh()], norm="spectral")
