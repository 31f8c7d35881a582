"""Responses are standard deviations of layers' outputs, and scale as the layers do."""

import pytest
import torch

from resx.analyses.analysis import ClaimVerdict
from resx.analyses.parts.layers import layers_of
from resx.analyses.responses import _verdict, responses
from resx.inference import Answer, Finding, Measure, Reason
from resx.reference.published import published_responses


def test_a_response_is_the_standard_deviation_after_the_norm(fresh):
    ours = fresh()
    images = next(ours.dataset.evaluation_batches("train_clean", 100))[0]
    with torch.no_grad():  # averages that have seen nothing are not used
        x = fresh().network.stem.train()(images)
        branch = fresh().network.stage1[0].train().branch
        first, last = branch[:2](x), branch(x)
    rows = responses([ours], images=100).rows
    expected = {"stage1.0.branch.0": first, "stage1.0.branch.3": last, "stage1.0": last}
    for name, output in expected.items():
        (row,) = rows[rows["name"] == name].itertuples()
        assert row.std == pytest.approx(output.std().item(), rel=1e-5)
    ratio = (last.flatten(1).norm(dim=1) / x.flatten(1).norm(dim=1)).mean().item()
    assert rows[rows["name"] == "stage1.0"]["ratio"].item() == pytest.approx(ratio, rel=1e-5)


def test_scaled_layers_respond_as_much_less(fresh):
    ours, weaker = fresh("residual=false"), fresh("residual=false")
    last = weaker.network.stage1[0].branch[-1]
    torch.nn.init.constant_(last.weight, 0.5)
    rows = [responses([e]).rows for e in (ours, weaker)]
    first, second = (r[r["name"] == "stage1.0"]["std"].item() for r in rows)
    assert second == pytest.approx(0.5 * first, rel=1e-5)


@pytest.mark.parametrize("model", ["preact", "vit", "densenet", "highway"])
def test_every_family_has_responses(fresh, model):
    depth = {"densenet": 13, "vit": 2}.get(model, 8)
    rows = responses([fresh(f"model={model}", f"depth={depth}")], images=16).rows
    assert {"layer", "block"} == set(rows["kind"])
    assert (rows["std"] > 0).all()


def test_a_norm_belongs_to_the_layer_before_it():
    nn = torch.nn
    conv, norm, bare = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1)
    assert [m for _, m in layers_of(nn.Sequential(conv, norm, nn.ReLU(), bare))] == [norm, bare]


def test_the_published_responses_are_those_of_figure_7():
    rows = published_responses()
    assert len(rows) == 20
    means = rows[rows["statistic"] == "mean"].set_index(["residual", "depth"])["value"].to_dict()
    expected = {(False, 20): 1.82, (False, 56): 1.52, (True, 20): 1.62, (True, 56): 1.13}
    assert means == expected | {(True, 110): 0.99}


@pytest.mark.parametrize(
    ("twins", "falls", "verdict"),
    [
        ("reversed", "reversed", ClaimVerdict.CONFIRMED),
        ("reversed", "no", ClaimVerdict.LIMITED),
        ("no", "reversed", ClaimVerdict.LIMITED),
        ("yes", "no", ClaimVerdict.NOT_CONFIRMED),
        ("yes", "cannot tell", ClaimVerdict.NOT_CONFIRMED),
        ("reversed", "yes", ClaimVerdict.NOT_CONFIRMED),
        ("reversed", "cannot tell", ClaimVerdict.LIMITED),
        ("no", "cannot tell", ClaimVerdict.CANNOT_TELL),
    ],
)
def test_the_verdict_wants_both_halves(twins, falls, verdict):
    answers = [
        Finding(Answer(a), Measure.LOSS, 1.1, Reason.INTERVAL, (3, 3)) for a in (twins, falls)
    ]
    assert _verdict(*answers) is verdict
