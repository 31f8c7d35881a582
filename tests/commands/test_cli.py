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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("trian",), "resx: unknown command 'trian'; did you mean 'train'?"),
        (("-m", "train"), "resx: the command comes first: resx train -m ..."),
        (("train", "--mutlirun"), "unknown flag '--mutlirun'; did you mean '--multirun'?"),
        (("train", "recipe.nesterov=true", "recipe.momentum=0"), "recipe.nesterov=True: needs"),
        (("train", "data.val_fraction=0.9999"), "leaves no image in train or in val"),
        (("train", "data.val_fraction=0.0001"), "leaves no image in train or in val"),
        (("report", "runs=.."), "runs=..: name run directories"),
        (("report", "runs="), "name run directories"),
        (("study", "degradation", "study.best_over=foo"), "the grid does not sweep it"),
        (("study", "degradation", "study.reference=foo"), "unknown study.reference 'foo'"),
        (("train", "dpeth=34"), "resx train: unknown setting 'dpeth'; did you mean 'depth'?"),
        (("train", "model.widht=3"), "unknown setting 'model.widht'; did you mean 'model.width'?"),
        (("train", "model=wide", "model.widenin=3"), "did you mean 'model.widening'?"),
        (("train", "recpie.steps=3"), "unknown setting 'recpie.steps'; did you mean"),
        (("train", "+extra=3"), "unknown setting 'extra'"),
        (("train", "model=resnt"), "unknown model 'resnt'; did you mean 'resnet'?"),
        (("train", "data=cifar"), "unknown data 'cifar'; did you mean 'cifar10'?"),
        (("train", "experiment=quick"), "unknown experiment 'quick'; did you mean 'cifar_quick'?"),
        (("train", "recipe=cifar_quick"), "recipe=cifar_quick is experiment=cifar_quick now"),
        (("train", "model.depth=8"), "unknown setting 'model.depth'"),
        (("train", "data.name=../x"), "data.name=../x: must be a plain name"),
        (("train", "data.colour_noise=0.1"), "data.colour_noise=0.1: only for streamed images"),
        (("analyze",), "name an analysis"),
        (("analyze", "respones"), "did you mean 'responses'?"),
        (("analyze", "responses", "analysis.image=3"), "did you mean 'analysis.images'?"),
        (("train", "recipe.steps=many"), "recipe.steps=many: Value 'many' of type 'str' could not"),
        (("train", "depth=2.5"), "depth=2.5: Value '2.5' of type 'float' could not be conv"),
        (("train", "residual=maybe"), "residual=maybe: Value 'maybe' is not a valid bool"),
        (("train", "depth"), "a setting is typed NAME=VALUE"),
        (("train", "recipe.steps=0"), "recipe.steps=0: must be at least 1"),
        (("train", "recipe.batch_size=-1"), "recipe.batch_size=-1: must be at least 1"),
        (("train", "depth=33"), "the nearest depths are 32, 34, 38"),
        (("train", "block=wide"), "block=wide: must be one of basic, bottleneck"),
        (("train", "model.width=abc"), "model.width=abc: Value 'abc' of type 'str' could not"),
        (("train", "device=gpu"), "device=gpu: must be one of auto, cuda, mps, cpu"),
        (("train", "data=folder"), "data.root"),
        (("train", "data=folder", "data.root=/none"), "data.root=/none: no such folder"),
        (("train", "data=cifar10", "data.root=/none"), "data.root=/none: no such folder"),
        (("train", "data.subset=5000"), "data.subset=5000: there are 1437 images"),
        (("train", "data.image_size=16"), "data.image_size=16: the digits are 8x8"),
        (("train", "model._target_=os.system"), "_target_=os.system: only functions"),
        (("train", "data.source._target_=os.system"), "_target_=os.system: only functions"),
        (("evaluate",), "name either run=DIRECTORY or weights=FILE"),
        (("evaluate", "run=nowhere"), "nowhere: no run here"),
        (("evaluate", "weights=nowhere.pt"), "nowhere.pt: no such file"),
        (("info", "batch_size=0"), "batch_size=0: must be at least 1"),
        (("list", "modles"), "unknown group 'modles'"),
    ],
)  # fmt: skip
def test_a_wrong_request_gets_one_line(resx, arguments, message, tmp_path):
    assert_refused(resx(*arguments), message)
    assert not list(tmp_path.iterdir())


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
