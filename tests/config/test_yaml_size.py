"""A yaml that somebody sent cannot keep resx busy for ever."""

import pytest

from resx.config.yaml_size import refuse_bombs
from resx.errors import RequestError
from tests.commands.answers import assert_refused

LAUGHS = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
LAUGHS += [f"a{i}: &a{i} [{', '.join(9 * [f'*a{i - 1}'])}]" for i in range(1, 10)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n".join(LAUGHS), "its aliases stand for too many entries"),
        ("a: &a\n  b: *a\n", "its aliases stand for too many entries, or for themselves"),
        ("a: " + 2000 * "[" + 2000 * "]", "nested too deeply"),
        ("\n".join(f"{' ' * i}a:" for i in range(200)), "nested too deeply"),
        ("a: " + 1_000_001 * "x", "too large for a configuration"),
    ],
    ids=["laughs", "itself", "brackets", "indents", "large"],
)
def test_a_yaml_that_never_ends_is_refused_before_hydra_reads_it(resx, tmp_path, text, message):
    folder = tmp_path / "sent" / "study"
    folder.mkdir(parents=True)
    (folder / "bomb.yaml").write_text(f"# @package _global_\n{text}\n")
    for command in (("study", "bomb"), ("train", "study=bomb"), ("report", "bomb")):
        answer = resx(*command, "--config-dir", "sent")
        assert_refused(answer, f"bomb.yaml: {message}")


def test_aliases_as_people_use_them_are_fine(tmp_path):
    (tmp_path / "a.yaml").write_text("common: &c {lr: 0.1, steps: 3}\na: *c\nb: {<<: *c, lr: 1}\n")
    (tmp_path / "damaged.yaml").write_text("a: &a [*b\n")  # Hydra says so if it is asked for
    (tmp_path / "again").symlink_to(tmp_path)
    refuse_bombs(tmp_path)
    with pytest.raises(RequestError, match="no such folder"):
        refuse_bombs(tmp_path / "nowhere")
