"""What a disk, a cable, an editor or another program can do to a file; seeded."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import torch
import yaml

JUNK: tuple[Any, ...] = (
    *(None, True, "junk", "\x07", "", -1, 0, 10**26, 1e308, float("nan"), float("inf"), [], {}),
    *([["a"], {"b": 1}], {"step": 1}, "9" * 5000, 10_000_000, "\ud800"),
)
HAND_MADE = ("value", "content")  # right checksums around wrong values: nothing can tell them all


def truncate(path: Path, random: Random) -> None:
    os.truncate(path, random.randrange(max(path.stat().st_size, 1)))


def flip(path: Path, random: Random) -> None:
    """One to three bits."""
    content = bytearray(path.read_bytes())
    for _ in range(random.randint(1, 3)):
        if content:
            content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    path.write_bytes(content)


def zeros(path: Path, random: Random) -> None:
    """A block of zeros, as some file systems leave after a power cut."""
    content = path.read_bytes()
    start = random.randrange(max(len(content), 1))
    length = random.choice((16, 512, len(content)))
    path.write_bytes(content[:start] + bytes(length) + content[start + length :])


def replace(path: Path, random: Random) -> None:
    """Another text, or noise."""
    texts = (b"", b"hello\n", b"null\n", b"[]\n", b"{}\n", b"\xff\xfe\x00", random.randbytes(2000))
    path.write_bytes(random.choice(texts))


def sibling(path: Path, random: Random) -> None:
    """The same file of another run, or another file of the same run."""
    others = [p for p in path.parent.parent.glob(f"*/{path.name}") if p != path and p.is_file()]
    others += [p for p in path.parent.iterdir() if p != path and p.is_file()]
    others = [p for p in others if p.stat().st_size < 2**20]
    path.write_bytes(random.choice(sorted(others)).read_bytes() if others else b"")


def delete(path: Path, random: Random) -> None:
    path.unlink()


def other_kind(path: Path, random: Random) -> None:
    """A folder, a full folder, a named pipe, a loop of links, a link to nowhere."""
    path.unlink()
    kind = random.randrange(5)
    if kind < 2:
        path.mkdir()
        if kind:
            (path / "file").write_text("hello")
    elif kind == 2:
        os.mkfifo(path)
    else:
        path.symlink_to(path.name if kind == 3 else "nowhere")


def grow(path: Path, random: Random) -> None:
    """Bytes behind the end; or a hole of ten gigabytes."""
    if random.random() < 0.2:
        os.truncate(path, 10 * 2**30)
    else:
        with path.open("ab") as file:
            file.write(random.randbytes(random.choice((1, 100, 5000))))


def value(path: Path, random: Random) -> None:
    """JSON or YAML in which a value became junk, nothing, or a tower of brackets; no checksum."""
    if path.suffix == ".jsonl":
        lines = path.read_text().splitlines()
        place = random.randrange(len(lines))
        lines[place] = _spoilt_text(json.loads(lines[place]), random, json.dumps)
        path.write_text("\n".join(lines) + "\n", errors="surrogatepass")
        return
    is_json = path.suffix == ".json"
    content = json.loads(path.read_text()) if is_json else yaml.safe_load(path.read_text())
    if isinstance(content, dict):
        content.pop("checksum", None)
        content.pop("checksums", None)
    text = _spoilt_text(content, random, json.dumps if is_json else yaml.safe_dump)
    path.write_text(text, errors="surrogatepass")


def _spoilt_text(content: Any, random: Random, dump: Callable[[Any], str]) -> str:
    if random.random() < 0.1:
        return "[" * 100_000
    if random.random() < 0.05:
        return "&a [*a, *a]"
    return dump(spoilt(content, random))


def spoilt(content: Any, random: Random) -> Any:
    """A copy in which one place, at any depth, became junk or is gone."""
    if isinstance(content, dict | list) and content and random.random() < 0.9:
        keys = list(content) if isinstance(content, dict) else list(range(len(content)))
        key = random.choice(keys)
        copied: Any = content.copy()
        if random.random() < 0.15:
            del copied[key]
        else:
            copied[key] = spoilt(content[key], random)
        return copied
    return random.choice(JUNK)


def content(path: Path, random: Random) -> None:
    """A checkpoint, whole as a file, in which something became junk, or a tensor another."""
    saved = torch.load(path, weights_only=True)
    torch.save(_spoilt_state(saved, random), path)


def _spoilt_state(saved: Any, random: Random) -> Any:
    if isinstance(saved, dict | list) and saved and random.random() < 0.95:
        copied: Any = saved.copy()
        key = random.choice(list(saved) if isinstance(saved, dict) else list(range(len(saved))))
        if random.random() < 0.15:
            del copied[key]
        else:
            copied[key] = _spoilt_state(saved[key], random)
        return copied
    tensors = (torch.zeros(3), torch.zeros(0), torch.tensor(1.0).expand(10**12), torch.zeros(2, 2))
    junk = [x for x in JUNK if not isinstance(x, int) or abs(x) < 2**31]  # what torch can save
    return random.choice((*junk, *tensors, saved))


ANY = (truncate, flip, zeros, replace, sibling, delete, other_kind, grow)
DAMAGES: dict[str, Callable[[Path, Random], None]] = {f.__name__: f for f in (*ANY, value, content)}


def fitting(path: Path) -> list[str]:
    """The kinds of damage that a file can take."""
    own = {".json": [value], ".jsonl": [value], ".yaml": [value], ".pt": [content]}
    return [f.__name__ for f in (*ANY, *own.get(path.suffix, []))]


def lose(directory: Path, random: Random) -> None:
    """The whole folder: gone, emptied, or a file or a loop of links in its place."""
    shutil.rmtree(directory)
    kind = random.randrange(4)
    if kind == 1:
        directory.mkdir()
    elif kind == 2:
        directory.write_text("hello")
    elif kind == 3:
        directory.symlink_to(directory.name)
