"""`resx list`: what can be named, one line each, read from the first comment of every yaml."""

from pathlib import Path

from resx.config.location import conf_dir
from resx.errors import RequestError, unknown

GROUPS = {
    "model": "models",
    "data": "data sets",
    "recipe": "recipes",
    "experiment": "experiments",
    "study": "studies",
    "analysis": "analyses",
}


def main(arguments: list[str]) -> int:
    """All groups, or those named. Raises `RequestError` for a group that does not exist."""
    conf = conf_dir()
    present = [group for group in GROUPS if (conf / group).is_dir()]
    for name in arguments:
        if name not in present:
            raise RequestError(unknown("group", name, present))
    for group in arguments or present:
        print(f"{GROUPS[group]} ({group}=...)")
        paths = sorted((conf / group).glob("*.yaml"))
        width = max(len(path.stem) for path in paths)
        for path in paths:
            print(f"  {path.stem:{width}}  {description(path)}")
    return 0


def description(path: Path) -> str:
    """The first comment line that is not one of Hydra's own (`# @package ...`)."""
    comments = (x for x in path.read_text().splitlines() if x.startswith("#"))
    return next((x.lstrip("# ") for x in comments if not x.startswith("# @")), "")
