"""What a setting means, read from the comments beside it: in the schema, or in a yaml."""

import ast
import inspect
import re
import textwrap
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

from resx.config.checks import Checked


class Described(NamedTuple):
    """One setting: `choices` if it is one of a few."""

    name: str
    meaning: str
    choices: tuple[object, ...] = ()

    @property
    def text(self) -> str:
        """The meaning and the choices; a comment above a setting begins as a sentence does."""
        meaning = self.meaning
        if meaning[1:2].islower():
            meaning = meaning[0].lower() + meaning[1:]
        listed = ", ".join(map(str, self.choices))
        return "; ".join(part for part in (meaning, listed and f"one of {listed}") if part)


@cache
def comments(schema: type) -> dict[str, str]:
    """The comment of each field of a dataclass: the lines above it and what stands behind it."""
    found: dict[str, str] = {}
    for owner in reversed(schema.__mro__):
        if is_dataclass(owner):
            found |= _comments_in(textwrap.dedent(inspect.getsource(owner)))
    return found


def _comments_in(source: str) -> dict[str, str]:
    lines = source.splitlines()
    (owner,) = ast.parse(source).body
    assert isinstance(owner, ast.ClassDef)
    found = {}
    for item in owner.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            above: list[str] = []
            number = item.lineno - 2
            while lines[number].lstrip().startswith("#"):
                above.insert(0, lines[number].strip(" #"))
                number -= 1
            last = lines[item.lineno - 1 : item.end_lineno][-1][item.end_col_offset :]
            behind = last.partition("#")[2].strip()
            found[item.target.id] = " ".join([*above, *([behind] if behind else [])])
    return found


def described(schema: type, prefix: str = "") -> list[Described]:
    """The plain settings of a schema, those of its groups left out."""
    meanings = comments(schema)
    choices = schema.choices if issubclass(schema, Checked) else {}
    hints = get_type_hints(schema)
    plain = [f.name for f in fields(schema) if not _is_group(f.name, hints[f.name])]
    return [Described(prefix + n, meanings.get(n, ""), choices.get(n, ())) for n in plain]


def _is_group(name: str, hint: Any) -> bool:
    return name in ("data", "model", "recipe", "study", "analysis")


def yaml_comments(path: Path) -> dict[str, tuple[str, str]]:
    """Value and comment of every `key: value # comment` line of a yaml, options of its group."""
    found = {}
    for line in path.read_text().splitlines():
        if option := re.match(r"\s*(\w+):\s*([^#{}]+?)\s*(?:#\s*(.*))?$", line):
            found[option[1]] = (option[2], option[3] or "")
    return found
