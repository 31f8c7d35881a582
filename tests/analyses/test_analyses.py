"""An analysis measures what it says, leaves networks as they were, and is found again."""

import json

import pytest
import torch

from resx.analyses.analysis import Finding
from resx.analyses.responses import responses
from resx.config.components import build
from resx.experiment import prepare
from tests.commands.answers import assert_refused
from tests.conftest import yamls


@pytest.fixture
def experiment(configure, tmp_path):
    def make(*overrides):
        return prepare(configure("train", "depth=8", f"outputs={tmp_path}", *overrides))

    return make


def test_a_response_is_the_standard_deviation_of_a_branchs_output(experiment):
    ours = experiment()
    images = next(ours.dataset.evaluation_batches("train_clean", 64))[0]
    with torch.no_grad():
        stem = ours.network.stem.eval()(images)
        expected = ours.network.stage1[0].eval().branch(stem).std().item()
    row = responses([ours], images=64).rows.iloc[0]
    assert row["std"] == pytest.approx(expected, rel=1e-5)
    assert (row["block"], row["name"]) == (1, "stage1.0")


def test_scaled_branches_respond_as_much_less(experiment):
    ours, weaker = experiment("residual=false"), experiment("residual=false")
    last = weaker.network.stage1[0].branch[-1]
    torch.nn.init.constant_(last.weight, 0.5)
    first, second = (responses([e]).rows["std"].iloc[0] for e in (ours, weaker))
    assert second == pytest.approx(0.5 * first, rel=1e-5)


@pytest.mark.parametrize("name", yamls("analysis"))
def test_an_analysis_leaves_a_network_as_it_was(experiment, configure, name):
    ours = experiment("model.width=2")
    ours.network.train()
    for parameter in ours.network.parameters():
        parameter.grad = torch.ones_like(parameter)
    before = {k: v.clone() for k, v in ours.network.state_dict().items()}
    random = torch.get_rng_state()
    analysis = configure("analyze", f"analysis={name}").analysis
    finding = build(analysis, "analysis", Finding, experiments=[ours])
    assert len(finding.rows)
    assert all(module.training for module in ours.network.modules())
    assert all(bool((p.grad == 1).all()) for p in ours.network.parameters())
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(before[k], v) for k, v in ours.network.state_dict().items())
    assert not any(m._forward_hooks for m in ours.network.modules())


def test_it_is_computed_once_and_again_when_forced(resx, tmp_path):
    command = ("analyze", "responses", "depth=8,14", "residual=false", "analysis.images=16")
    first = resx(*command)
    assert first.code == 0, first.err
    assert "plain-8 " in first.out
    assert "plain-14 " in first.out
    (summary,) = tmp_path.glob("outputs/analyses/responses/*/summary.json")
    names = {path.name for path in summary.parent.iterdir()}
    assert names == {"rows.csv", "summary.json", "figure.png", "figure.pdf", "figure.svg"}
    changed = json.loads(summary.read_text()) | {"text": "as it was stored"}
    summary.write_text(json.dumps(changed))
    assert resx(*command).out.startswith("as it was stored")
    assert resx(*command, "force=true").out == first.out
    assert resx(*command, "seed=1").code == 0  # another network: a result of its own
    assert len(list(tmp_path.glob("outputs/analyses/responses/*"))) == 2


def test_of_one_run_it_lies_with_the_run(resx, tiny, only_run):
    resx("train", *tiny)
    answer = resx("analyze", "responses", f"runs={only_run()}")
    assert answer.code == 0, answer.err
    assert len(list(only_run().glob("analyses/*/summary.json"))) == 1
    assert_refused(resx("analyze", "responses", "runs=nowhere"), "no runs there")
    answer = resx("analyze", "responses", f"runs={only_run()}", "depth=20")
    assert_refused(answer, "depth: a run's own configuration decides that")
