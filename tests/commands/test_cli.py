"""What a person types, and what they are told when it is wrong."""

import os
import subprocess
import sys

import pytest
import torch

from resx import cli
from resx.config.location import conf_dir
from resx.config.refusals import one_line
from resx.errors import RequestError
from tests.commands.answers import assert_refused


def test_help_names_every_command(resx):
    answer = resx("--help")
    assert answer.code == 0
    assert all(f"  {name} " in answer.out for name in cli.COMMANDS)
    assert "recipe: digit_pairs, digits, digits_adamw, " in resx("train", "--help").out


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_that_is_absent_is_refused(resx):
    assert_refused(resx("train", "device=cuda"), "device=cuda: there is none here")


def test_a_typo_is_answered_without_torch(tmp_path):
    """Well under a second: torch alone takes one and a half to import."""
    script = (
        "import sys; sys.argv = ['resx', 'train', 'dpeth=3']; from resx.cli import main;"
        " code = main(); print('torch' in sys.modules, code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.split() == ["False", "2"]


def test_a_torch_and_torchvision_that_do_not_match_are_named():
    error = RuntimeError("operator torchvision::nms does not exist")
    wrapped = RequestError("_target_=...: cannot be imported")
    wrapped.__cause__ = error
    assert "install a matching pair" in one_line(wrapped, "train")


def test_what_is_not_installed_is_named_with_what_to_install():
    for module, package in (("torch", "torch torchvision"), ("sklearn", "scikit-learn")):
        error = ModuleNotFoundError(f"No module named '{module}.x'", name=f"{module}.x")
        assert one_line(error, "train") == f"{module} is not installed; pip install {package}"
    assert one_line(ModuleNotFoundError("No module named 'resx.x'", name="resx.x"), "train") is None


def test_an_error_of_ours_is_not_dressed_up_as_the_users():
    assert one_line(ZeroDivisionError("oops"), "train") is None


def test_hydras_own_flags_work_after_the_command(resx):
    assert "depth: 56" in resx("train", "--cfg", "job", "depth=56", "--resolve").out
    assert "depth: 56" in resx("train", "depth=56", "-c", "job").out
    assert "depth: 56" in resx("train", "depth=56", "--cfg", "job").out
    assert "depth: 56" in resx("train", "--cfg", "job", "depth=56").out


@pytest.mark.slow
def test_the_wheel_finds_its_configuration_from_any_directory(tmp_path):
    checkout = conf_dir().parent
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path)]
    subprocess.run([*build, str(checkout)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("resx-*.whl")
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site)]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    done = subprocess.run(
        [sys.executable, "-m", "resx", "train", "depth=8", "recipe.steps=2"],
        cwd=elsewhere,
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "finished: ResNet-8" in done.stdout
    assert (site / "resx" / "conf" / "train.yaml").is_file()
