"""Nothing that somebody sent runs code: no yaml, no checkpoint, no run directory.

Each of these would write a file if code ran.
"""

import pytest
import torch
import yaml

from resx.config.location import conf_dir
from resx.config.settings import to_dict
from resx.experiment import prepare
from resx.store import checkpoint
from resx.store.files import CHECKPOINT
from tests.commands.answers import assert_refused

MODULE = """
import pathlib
from resx.models.parts.network import Network

pathlib.Path({place!r}, "ran").touch()

def net(spec, path: str = "") -> Network: ...

class Callback:
    def __init__(self, **options): ...
"""


@pytest.fixture
def evil(tmp_path, monkeypatch):
    """A module that writes a file when it is imported, and the folder that would have it."""
    (tmp_path / "evil.py").write_text(MODULE.format(place=str(tmp_path)))
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mine" / "study").mkdir(parents=True)
    yield tmp_path
    assert not (tmp_path / "ran").exists()


def study(evil, text):
    base = (conf_dir() / "study" / "degradation.yaml").read_text()
    (evil / "mine" / "study" / "sent.yaml").write_text(base + text)


TARGETS = ("evil.net", "resx.cli.hydra.utils.instantiate", "resx.cli.importlib.import_module")


@pytest.mark.parametrize("target", TARGETS)
def test_a_studys_target_runs_nothing(resx, evil, target):
    study(evil, f"model:\n  _target_: {target}\n  path: evil\n")
    answer = resx("study", "sent", "--config-dir", "mine", "hydra/launcher=basic")
    assert answer.code == 2
    assert "Traceback" not in answer.err
    assert f"_target_={target}: " in answer.err


def test_a_grid_typed_as_a_sweepers_parameters_is_refused(resx, evil):
    """Its choices of files would not be looked at."""
    study(evil, "hydra:\n  callbacks:\n    x: {_target_: evil.Callback}\n")
    sweep = ("-m", "--config-dir", "mine", "+hydra.sweeper.params.study=sent")
    assert_refused(resx("train", *sweep), "hydra.sweeper.params: with files of your own")


@pytest.mark.parametrize("command", ["study", "train", "report"])
def test_a_studys_callbacks_are_not_called(resx, evil, command):
    study(evil, "hydra:\n  callbacks:\n    x: {_target_: evil.Callback}\n")
    answer = resx(command, "study=sent", "--config-dir", "mine")
    assert_refused(answer, "hydra.callbacks: a file may not change what Hydra itself does")


@pytest.mark.parametrize(
    "part",
    [
        "job_logging: {formatters: {line: {'()': evil.net}}}",
        "job_logging: {handlers: {console: {class: logging.os.system}}}",
        "hydra_logging: {formatters: {line: {'()': evil.net}}}",
        "sweeper: {params: {trust: '[evil]'}}",
        "launcher: {setup: [touch ran]}",
        "job: {env_set: {PYTHONSTARTUP: x}}",
    ],
)
def test_nor_does_hydras_own_part_come_from_a_file(resx, evil, part):
    study(evil, f"hydra:\n  {part}\n")
    answer = resx("train", "study=sent", "--config-dir=mine")
    assert answer.code == 2
    assert answer.err.count("\n") == 1, answer.err


@pytest.mark.slow
def test_nor_from_a_file_that_a_studys_grid_chooses(resx, evil):
    """Its jobs are composed anew, in another process."""
    (evil / "mine" / "model").mkdir()
    bad = (conf_dir() / "model" / "resnet.yaml").read_text()
    bad += "hydra:\n  job_logging: {formatters: {line: {'()': evil.net}}}\n"
    (evil / "mine" / "model" / "bad.yaml").write_text(bad)
    grid = "grid:\n    - {model: [resnet, bad], depth: [8], residual: [true], seed: [0]}\n"
    text = f"# @package _global_\nstudy:\n  name: sent\n  {grid}"
    (evil / "mine" / "study" / "sent.yaml").write_text(text)
    refused = "hydra.job_logging: a file may not change what Hydra itself does"
    assert_refused(resx("study", "sent", "--config-dir", "mine"), refused)
    sweep = resx("train", "-m", "model=resnet,bad", "--config-dir=mine")
    assert_refused(sweep, refused)
    typed = resx("study", "degradation", "model=resnet,bad", "--config-dir=mine")
    assert_refused(typed, refused)


@pytest.mark.slow
def test_a_sweep_beside_a_folder_of_ones_own_is_one(resx, evil, tiny):
    study(evil, "")
    common = [line for line in tiny if not line.startswith("depth")]
    sweep = ["study=sent,degradation", "depth=8,14", "--config-dir=mine", *common]
    answer = resx("train", "-m", *sweep)
    assert answer.code == 0, answer.err
    assert "4 of 4 jobs done" in answer.err


def test_trust_counts_only_when_it_is_typed(resx, evil):
    study(evil, "trust: [evil]\nmodel: {_target_: evil.net}\n")
    answer = resx("train", "study=sent", "--config-dir", "mine")
    assert_refused(answer, "trust=['evil']: counts only when it is typed, not in a file")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("place", ["model", "source"])
def test_a_checkpoints_configuration_runs_nothing(resx, evil, configure, target, place):
    clean = configure("train", "depth=8")
    network, config = prepare(clean).network, to_dict(clean)
    component = config["model"] if place == "model" else config["data"]["source"]
    component |= {"_target_": target, "path": "evil"}
    config["trust"] = ["evil"]
    state = {
        "config": config,
        "state": {"model": network.state_dict(), "step": 0},
        "classes": [str(i) for i in range(10)],
    }
    torch.save(state | {"mean": torch.zeros(1), "std": torch.ones(1)}, "sent.pt")
    answer = resx("evaluate", "weights=sent.pt")
    assert_refused(answer, f"_target_={target}: ")


def test_a_run_directorys_configuration_runs_nothing(resx, tiny, only_run, evil):
    assert resx("train", *tiny).code == 0
    saved = checkpoint.load(only_run() / CHECKPOINT)
    saved["config"]["model"]["_target_"] = "evil.net"
    saved["config"]["trust"] = ["evil"]
    checkpoint.write(only_run() / CHECKPOINT, saved)
    stored = yaml.safe_load((only_run() / "config.yaml").read_text())
    stored["model"]["_target_"], stored["trust"] = "evil.net", ["evil"]
    (only_run() / "config.yaml").write_text(yaml.safe_dump(stored))
    for command in ("evaluate", "export"):
        answer = resx(command, f"run={only_run()}")
        assert_refused(answer, "model._target_=evil.net: only functions of resx are called")
