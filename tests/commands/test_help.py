"""What can be typed is explained where it is typed, from the comments beside it."""

import subprocess
import sys

import pytest

from resx.config.documentation import described
from resx.config.requests import COMMANDS
from resx.config.schema import DataConfig, RecipeConfig, StudyConfig
from tests.conftest import yamls

SCHEMAS = [*COMMANDS.values(), DataConfig, RecipeConfig, StudyConfig]


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.__name__)
def test_every_setting_has_a_comment(schema):
    assert [d.name for d in described(schema) if not d.meaning] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_what_matters_first_with_the_values_that_hold(resx, command):
    answer = resx(command, "--help", "recipe=he2015_cifar", "model=wide")
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert any(line.startswith("  depth=16 ") for line in lines)
    assert any(line.startswith("  model.widening=null ") for line in lines)
    assert "one of none, constant, linear, error" in " ".join(answer.out.split())
    assert f"model: {', '.join(yamls('model'))}" in lines
    assert "recipe.steps=64000" in answer.out
    order = [answer.out.index(x) for x in ("depth=16", "model: ", "data: ", "Hydra's own")]
    assert order == sorted(order)


def test_a_command_begins_with_its_own_settings(resx):
    out = resx("help", "evaluate").out
    assert out.index("splits=[train,test]") < out.index("depth=20")


def test_help_of_a_setting_has_its_meaning_default_and_choices(resx):
    answer = resx("help", "recipe.warmup", "model.width", "splits")
    assert answer.code == 0, answer.err
    text = " ".join(answer.out.split())
    assert "recipe.warmup how lr begins: constant at warmup_lr" in text
    assert "one of none, constant, linear, error default: none" in text
    assert "recipe=he2015_cifar: error" in text
    assert "model=resnext: 64" in text
    assert "default: [train,test] of: resx evaluate" in text


def test_help_of_a_group_lists_its_choices(resx):
    out = resx("help", "data").out
    assert [line.split()[0] for line in out.splitlines()[1:]] == yamls("data")


def test_a_config_dir_is_listed_and_explained(resx, tmp_path):
    (tmp_path / "mine" / "model").mkdir(parents=True)
    text = "# @package _global_\n# A net of mine\nmodel:\n  name: mine\n  knob: 3 # how knobby\n"
    (tmp_path / "mine" / "model" / "mine.yaml").write_text(text)
    assert "  mine      A net of mine" in resx("list", "model", "--config-dir", "mine").out
    out = resx("help", "model.knob", "--config-dir=mine").out
    assert "how knobby" in out and "model=mine: 3" in out
    assert "mine" in resx("train", "--help", "--config-dir=mine").out.split("\nmodel: ")[1][:40]


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("resx tr", "train study report"),
        ("resx train recipe.warmup_l", "recipe.warmup_limit= recipe.warmup_lr="),
        ("resx train recipe=dig", "recipe=digit_pairs recipe=digits "),
        ("resx study degr", "degradation degradation_long"),
        ("resx analyze re", "rank refinement responses"),
    ],
)
def test_a_shell_completes_what_may_follow(resx, monkeypatch, line, completed):
    monkeypatch.setenv("COMP_LINE", line)
    answer = resx("-sc", "query=bash")
    assert answer.code == 0, answer.err
    assert completed in answer.out


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_completion_is_installed_for_resx(resx, shell):
    answer = resx("train", "-sc", f"install={shell}")
    assert answer.code == 0, answer.err
    assert answer.out.rstrip().endswith("resx") or "resx" in answer.out


def test_hydras_info_takes_its_value_with_a_space(resx):
    assert "Defaults List" in resx("train", "--info", "defaults").out


def test_versions_and_help_come_without_torch():
    """Torch alone takes one and a half seconds to import."""
    script = (
        "import sys; from resx.cli import main\n"
        "for line in ('--version', 'list', 'help recipe.lr', 'train --help', 'train dpeth=3'):\n"
        "    sys.argv = ['resx', *line.split()]; main()\n"
        "print(sorted({'torch', 'pandas', 'matplotlib', 'sklearn'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
    assert done.stdout.startswith("resx 0.1.0, torch 2.")
