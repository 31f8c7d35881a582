"""Every analysis leaves networks as they were, and answers a claim of the notes."""

import random
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import torch

from resx.analyses.analysis import ClaimVerdict, Finding
from resx.config.components import build
from resx.errors import RequestError
from resx.experiment import open_run
from resx.reference.claims import claim
from tests.conftest import yamls

# Of analyses that take long with their own options: fewer steps, directions, images.
QUICK = {"identity": {"steps": 10, "images": 32}}
ALONG_TRAINING = {"gradient_flow", "rank"}  # whose texts tell of every step
FAMILIES = ("resnet", "vit")  # an analysis takes at least one of them


@pytest.fixture
def trained(resx, tiny, tmp_path):
    """Residual and plain twins of a tiny run of a family, with their trained weights."""

    def make(model):
        family = (
            ["depth=2"] if model == "vit" else [t for t in tiny if "width" in t or "depth" in t]
        )
        steps = [t for t in tiny if "width" not in t and "depth" not in t]
        command = ["train", "-m", f"model={model}", *family, *steps, "residual=true,false"]
        answer = resx(*command)
        assert answer.code == 0, answer.err
        runs = sorted(tmp_path.glob(f"outputs/runs/*/{model}-*/*"))
        return [open_run(run).experiment("cpu") for run in runs if (run / "summary.json").is_file()]

    return make


def state_of(experiment):
    network = experiment.network
    return {
        "weights": {k: v.clone() for k, v in network.state_dict().items()},
        "modes": {n: m.training for n, m in network.named_modules()},
        "hooks": {
            n: [len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks)]
            for n, m in network.named_modules()
        },
        "grads": {n: (p.requires_grad, p.grad is None) for n, p in network.named_parameters()},
        "normalization": experiment.dataset.normalization,
        "torch": torch.get_rng_state(),
        "numpy": np.random.get_state()[1].tolist(),
        "python": random.getstate(),
        "threads": torch.get_num_threads(),
        "grad_enabled": torch.is_grad_enabled(),
    }


def same(first, second):
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[k], second[k]) for k in first)
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return all(map(same, first, second))
    return first == second


@pytest.mark.slow
@pytest.mark.parametrize("name", yamls("analysis"))
def test_an_analysis_leaves_networks_as_they_were(trained, configure, name):
    """Weights, buffers, the mode of every module, gradients, hooks, random states."""
    analysis = configure("analyze", f"analysis={name}").analysis | QUICK.get(name, {})
    refused = []
    for family in FAMILIES:
        experiments = trained(family)
        for experiment in experiments:  # a mode of their own in every part
            experiment.network.train()
            experiment.network.head.eval()
        before = [state_of(e) for e in experiments]
        try:
            finding = build(analysis, "analysis", Finding, experiments=experiments)
        except RequestError as error:
            refused.append(str(error))
        else:
            assert len(finding.rows)
        for old, experiment in zip(before, experiments):
            new = state_of(experiment)
            assert not [key for key in old if not same(old[key], new[key])]
    assert len(refused) < len(FAMILIES), refused


@pytest.mark.slow
@pytest.mark.parametrize("chosen", ["plain", "residual", "two steps"])
@pytest.mark.parametrize("name", yamls("analysis"))
def test_figure_and_text_need_no_twin_and_bear_several_steps(trained, configure, name, chosen):
    """Once lesion fell over plain nets alone, and landscape over two steps: after all the work."""
    analysis = configure("analyze", f"analysis={name}").analysis | QUICK.get(name, {})
    model = "vit" if name == "rank" else "resnet"
    found = trained(model)
    experiments = [e for e in found if e.config.residual == (chosen == "residual")]
    if chosen == "two steps":
        experiments = [*found, *(replace(e, step=e.step - 1) for e in found)]
    finding = build(analysis, "analysis", Finding, experiments=experiments)
    finding.figure().savefig(BytesIO())
    if chosen == "two steps" and name not in ALONG_TRAINING:
        newest = build(analysis, "analysis", Finding, experiments=found)
        assert finding.text == newest.text and finding.verdict is newest.verdict


@pytest.mark.slow
@pytest.mark.parametrize("name", yamls("analysis"))
def test_what_it_answers_is_a_claim_of_the_notes(trained, configure, name):
    analysis = configure("analyze", f"analysis={name}").analysis | QUICK.get(name, {})
    for family in FAMILIES:
        try:
            finding = build(analysis, "analysis", Finding, experiments=trained(family))
        except RequestError:
            continue
        if not finding.claim:  # of tokens, which other families have not
            continue
        known = claim(finding.claim)
        assert known is not None
        assert name in [m.analysis for m in known.measurements]
        assert finding.verdict in ClaimVerdict
        return
    pytest.fail("no family answers a claim")
