"""`resx list`: what can be named, one line each, read from the first comment of every yaml."""

from collections.abc import Sequence
from pathlib import Path

from resx.config.choices import first_comment, yamls
from resx.config.flags import values_of
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


def main(arguments: list[str], flags: Sequence[str] = ()) -> int:
    """All groups, or those named, also of a `--config-dir`.

    Raises `RequestError` for a group or a folder that does not exist.
    """
    own = [Path(folder) for folder in values_of(list(flags), "--config-dir", "-cd")]
    for folder in own:
        if not folder.is_dir():
            raise RequestError(f"--config-dir={folder}: no such folder")
    folders = [conf_dir(), *own]  # of equal names ours is what Hydra takes
    present = [group for group in GROUPS if yamls(group, folders)]
    for name in arguments:
        if name not in present:
            raise RequestError(unknown("group", name, present))
    for group in arguments or present:
        print(f"{GROUPS[group]} ({group}=...)")
        paths = yamls(group, folders)
        width = max(len(path.stem) for path in paths)
        for path in paths:
            print(f"  {path.stem:{width}}  {first_comment(path)}")
    return 0
