"""Yaml files of a `--config-dir` that would never be read to their end, found before Hydra does.

An alias (`*name`) costs a few characters and stands for everything behind its anchor: nine lists
of nine aliases of each other are a billion entries (a "billion laughs"), which Hydra writes out.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import yaml

from resx.errors import RequestError

MOST_NODES = 100_000  # of a configuration with all aliases written out; ours have 200
MOST_BYTES = 1_000_000  # ours have 2,000
DEEPEST = 50  # nested levels; ours have 4


def refuse_bombs(folder: str | Path) -> None:
    """Raises `RequestError` for a folder that is not there, or has a file that Hydra cannot read.

    That is one that is too large, too deep, or grows beyond all measure; whatever else is wrong
    with a file Hydra says when it reads it.
    """
    if not os.path.isdir(folder):
        raise RequestError(f"--config-dir={folder}: no such folder")
    for path in _yamls(folder):
        try:
            too_large = path.stat().st_size > MOST_BYTES
            text = b"" if too_large else path.read_bytes()
        except OSError:
            continue  # Hydra reads it only if somebody asks for it
        if too_large:
            raise RequestError(f"{path}: too large for a configuration")
        if deepest_indent(text) > DEEPEST:
            raise RequestError(f"{path}: nested too deeply for a configuration")
        if b"*" in text and b"&" in text:
            _refuse_bomb(path, text)


def _refuse_bomb(path: Path, text: bytes) -> None:
    try:
        root = yaml.compose(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError):
        return
    if root is not None and _size(root, {}, set()) > MOST_NODES:
        raise RequestError(f"{path}: its aliases stand for too many entries, or for themselves")


def _size(node: yaml.Node, known: dict[int, int], open_nodes: set[int]) -> int:
    """Entries with all aliases written out; each node of the file is counted once."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) in open_nodes:  # it stands within itself
        return MOST_NODES + 1
    if id(node) not in known:
        parts = node.value
        if isinstance(node, yaml.MappingNode):
            parts = [part for pair in node.value for part in pair]
        open_nodes.add(id(node))
        known[id(node)] = 1 + sum(_size(part, known, open_nodes) for part in parts)
        open_nodes.remove(id(node))
    return known[id(node)]


def deepest_indent(text: bytes) -> int:
    """A bound of how deep a file is nested: brackets open at once, or dashes and spaces in front.

    Reading alone what is nested a hundred thousand times would overflow the reader's stack.
    """
    deepest = depth = 0
    for byte in text:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth = max(depth - 1, 0)
    lines = (line[: len(line) - len(line.lstrip(b" -?"))] for line in text.splitlines())
    return max(deepest, max((len(front.replace(b"  ", b" ")) for front in lines), default=0))


def _yamls(folder: str | Path) -> Iterator[Path]:
    """All below a folder, links to folders followed once."""
    seen: set[str] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        yield from (Path(place, name) for name in sorted(files) if name.endswith((".yaml", ".yml")))
