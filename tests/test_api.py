"""The public face: documented, typed, light to import, and doing what its page shows."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import resx

PAGE = (Path(__file__).parents[1] / "docs" / "python.md").read_text()
FUNCTIONS = ["build", "configure", "evaluate", "open_run", "prepare", "runs", "train"]


@pytest.mark.slow
def test_the_session_of_the_page_runs(tmp_path, monkeypatch, resx):
    monkeypatch.chdir(tmp_path)
    (command,) = re.findall(r"^resx (.*)$", PAGE, re.MULTILINE)
    assert resx(*command.split()).code == 0
    namespace = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, namespace)
    assert len(namespace["runs"]) == 4
    assert (tmp_path / "mine.png").stat().st_size > 5000
    run, score = namespace["run"], namespace["score"]
    assert score.error == pytest.approx(run.summary.final["test"].error, abs=1e-9)
    assert str(namespace["again"].directory) in namespace["runs"].index
    assert sorted(namespace["probe"].norms) == [10, 20, 30]
    assert namespace["logits"].shape == (64, 10)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_documented_and_typed(name):
    function = getattr(resx, name)
    documented = inspect.getdoc(function)
    assert len(documented.split()) > 5
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    for parameter in signature.parameters.values():
        assert parameter.annotation is not inspect.Parameter.empty
    assert f"`resx.{name}(" in PAGE


def test_every_name_is_there_and_no_other():
    assert all(getattr(resx, name) is not None for name in resx.__all__)
    assert set(FUNCTIONS) < set(resx.__all__) <= set(dir(resx))
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        resx.trian  # noqa: B018


def test_importing_resx_imports_nothing_heavy():
    script = (
        "import sys, resx; print([m for m in ('torch', 'hydra', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_a_wrong_request_is_a_value_error():
    with pytest.raises(ValueError, match="depth=33: no such network"):
        resx.build("resnet", depth=33, num_classes=10)
    with pytest.raises(ValueError, match="widht"):
        resx.build("resnet", widht=3, num_classes=10)
    with pytest.raises(ValueError, match="no run here"):
        resx.open_run("nowhere")
    with pytest.raises(ValueError, match="split=dev: must be one of train, test"):
        resx.evaluate(resx.prepare(resx.configure("depth=8")), "dev")


def test_a_probe_sees_the_gradients_and_changes_nothing(configure, tmp_path, tiny):
    class Probe:
        steps: tuple[int, ...] = ()

        def is_due(self, step):
            return step in (3, 7)

        def __call__(self, step, network, images, labels):
            assert network.training
            assert images.shape == (16, 1, 8, 8)
            assert all(p.grad is not None for p in network.parameters())
            self.steps = (*self.steps, step)

    probe = Probe()
    runs = [
        resx.train(configure("train", *tiny, f"outputs={tmp_path / name}"), probes)
        for name, probes in (("with", [probe]), ("without", []))
    ]
    assert probe.steps == (3, 7)
    first, second = (run.checkpoint()["state"]["model"] for run in runs)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_loop_without_probes_costs_no_call():
    """The loop asks an empty tuple; `Trainer.probes` is empty unless somebody gives some."""
    from resx.training.trainer import Trainer

    assert Trainer.probes == ()
