"""The examples of CONTRIBUTING.md are complete: each file as shown, each command run."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text()
SECTIONS = {part.splitlines()[0]: part for part in TEXT.split("\n## ")[1:]}
FILE = re.compile(r"`(mine/[\w/.]+)`.*?```(?:python|yaml)\n(.*?)```", re.DOTALL)


def commands(section):
    return [line for line in section.splitlines() if line.startswith("resx ")]


@pytest.fixture
def example(tmp_path):
    """Writes the files of a section; returns how many."""

    def write(section):
        files = FILE.findall(section)
        for name, content in files:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content)
            assert len(content.splitlines()) <= 40
        return [name for name, _ in files]

    return write


@pytest.mark.slow
@pytest.mark.parametrize(
    ("heading", "files", "printed"),
    [
        ("Add a data set", 2, ["finished: ResNet-8"]),
        ("Add a family", 3, ["finished: MLP-6 (width 32)", "Does the plain net degrade?"]),
        ("Add an analysis", 2, ["plain-14 (cifar layout, basic): mean norm", "mean norm"]),
    ],
)
def test_an_example_runs_as_it_stands(tmp_path, example, heading, files, printed):
    """A Python file and a yaml each, and no other edit; the family brings a study, too."""
    section = SECTIONS[heading]
    assert len(example(section)) == files
    lines = commands(section)
    assert len(lines) == len(printed)
    if heading == "Add an analysis":
        lines.insert(1, "resx train depth=8 recipe.steps=5")
        printed.insert(1, "finished: ResNet-8")
    for line, text in zip(lines, printed):
        command = [sys.executable, "-m", *shlex.split(line)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert text in done.stdout
        assert "Warning" not in done.stderr


def test_without_trust_the_example_is_one_line(tmp_path, example, resx):
    example(SECTIONS["Add a family"])
    answer = resx("train", "model=mlp", "--config-dir", "mine")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "trust=[skipnets], typed, allows those of that package" in answer.err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("head=head), title)", "head=head))", "title"),
        ("stage1=stage1, ", "", "stage1"),
        ("self.branch = nn.Linear", "self.linear = nn.Linear", "branch"),
        ("-> Network:", ":", "does not declare to return a Network"),
        ("def mlp(spec: Spec", "def mlp(depth: Spec", "takes no 'spec', and must"),
    ],
)
def test_what_a_network_lacks_is_said_in_one_line(tmp_path, example, resx, old, new, message):
    example(SECTIONS["Add a family"])
    module = tmp_path / "mine" / "skipnets.py"
    assert old in module.read_text()
    module.write_text(module.read_text().replace(old, new).replace("self.branch(x)", "x"))
    sys.modules.pop("skipnets", None)
    try:
        answer = resx("train", "model=mlp", "--config-dir", "mine", "trust=[skipnets]")
    finally:
        sys.modules.pop("skipnets", None)
        sys.path[:] = [p for p in sys.path if p != str(tmp_path / "mine")]
    assert (answer.code, answer.err.count("\n")) == (2, 1), answer.err
    assert message in answer.err
