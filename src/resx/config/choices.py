"""The choices of a group: yamls in our tree and in folders of a person's own (Hydra-free)."""

from collections.abc import Sequence
from pathlib import Path


def first_comment(path: Path) -> str:
    """The first comment line of a yaml that is not one of Hydra's own (`# @package ...`)."""
    lines = (x for x in path.read_text().splitlines() if x.startswith("#"))
    return next((x.lstrip("# ") for x in lines if not x.startswith("# @")), "")


def yamls(group: str, folders: Sequence[Path]) -> list[Path]:
    """The choices of a group in these folders, in alphabetical order; of equal names the first."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted((folder / group).glob("*.yaml")):
            found.setdefault(path.stem, path)
    return [found[name] for name in sorted(found)]
