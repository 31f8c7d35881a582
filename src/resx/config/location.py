"""Where the configuration tree lies."""

from pathlib import Path


def conf_dir() -> Path:
    """The configuration tree: in the package of a wheel, at the top of a checkout."""
    installed = Path(__file__).parents[1] / "conf"
    return installed if installed.is_dir() else Path(__file__).parents[3] / "conf"
