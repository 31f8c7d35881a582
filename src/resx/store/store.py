"""The run store: every path under `outputs/` is made here (torch-free)."""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from resx.config.run_hash import run_hash
from resx.config.schema import TrainConfig
from resx.errors import RequestError
from resx.store.files import ASIDE, CONFIG, RECORDS, SUMMARY
from resx.store.run import Run


class Store:
    """`runs/ studies/ reports/ aggregates/ analyses/ claims/ cache/` below one folder."""

    def __init__(self, outputs: str | Path) -> None:
        self.outputs = Path(outputs)

    def run(self, config: TrainConfig, hash: str | None = None) -> Run:
        """Where the run of this configuration lies, or will: `runs/<data>/<network>/s<seed>-..`.

        The same request therefore finds the same directory.
        """
        kind = "residual" if config.residual else "plain"
        network = f"{config.model['name']}-{config.depth}-{kind}"
        name = f"s{config.seed}-{hash or run_hash(config)}"
        return Run(self.outputs.joinpath("runs", config.data.name, network, name), self.outputs)

    def runs(self) -> list[Run]:
        """All that is there, in alphabetical order."""
        return [Run(path, self.outputs) for path in run_directories(self.outputs / "runs")]

    def study(self, name: str) -> Path:
        """A new folder for one sweep of a study."""
        moment = f"{time.strftime('%Y-%m-%d_%H-%M-%S')}-{os.getpid()}"
        return self._folder("studies", name, moment)

    def study_note(self, name: str) -> Path:
        """Where it is kept what was typed beside a study's name."""
        return self._folder("studies", name) / "typed.json"

    def study_notes(self) -> list[Path]:
        """All of them; makes no folder."""
        return sorted((self.outputs / "studies").glob("*/typed.json"))

    @property
    def reports(self) -> Path:
        return self._folder("reports")

    def report(self, name: str) -> Path:
        return self._folder("reports", name)

    def aggregates(self, name: str) -> Path:
        """TensorBoard runs of means over seeds, beside the raw ones."""
        return self._folder("aggregates", name)

    def analysis(self, name: str, key: str) -> Path:
        """For the results of an analysis that is not of one run alone."""
        return self._folder("analyses", name, key)

    def claims(self, name: str) -> Path:
        """For the table of all claims, under a name of what was typed beside it."""
        return self._folder("claims", *([name] if name else []))

    @property
    def mlflow_uri(self) -> str:
        """Of the database that MLflow keeps here unless it is told of another place."""
        return f"sqlite:///{(self.outputs / 'mlflow.db').absolute()}"

    @property
    def cache(self) -> Path:
        """Decoded images; may be deleted at any time."""
        return self.outputs / "cache"

    def _folder(self, *parts: str) -> Path:
        """Made if need be. Raises `RequestError` if a link on the way leads elsewhere."""
        folder = self.outputs
        for part in parts:
            folder /= re.sub(r"[/\\\0]", "_", part)
            if folder.is_symlink():
                raise RequestError(f"{folder} is a link; nothing is written through one")
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def run_directories(folder: Path) -> Iterator[Path]:
    """Run directories at or below a folder, in alphabetical order.

    What lies within a run, such as the configuration of an analysis, is no run of its own.
    """
    for place, folders, files in os.walk(folder):
        # A configuration alone is anybody's; with records or a summary it is of a training.
        if CONFIG in files and (SUMMARY in files or RECORDS in files):
            folders.clear()
            yield Path(place)
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f != ASIDE)
