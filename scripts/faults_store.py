"""The store that is damaged: some fifty small real runs, trained for the purpose."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from faults_child import Outcome, resx
from PIL import Image

from resx.errors import RequestError
from resx.store import checkpoint

TINY: tuple[str, ...] = ("model.width=2", "recipe.steps=12", "recipe.batch_size=16")
TINY += ("recipe.record_every=2", "recipe.eval_every=4")
TINY += ("recipe.save_every=4", "recipe.snapshots=3")
DEPTHS = (8, 14)
SEEDS = 12
IMAGES = ("data=folder", "data.root=images", "data.image_size=8", "recipe=digits")


class Trained(NamedTuple):
    """A run of the store, and what `resx train` has to be told to find it."""

    directory: Path  # below the store's place
    request: tuple[str, ...]


class FaultyStore:
    """`place` is where commands are typed; `master` keeps a copy of all that is in it."""

    def __init__(self, folder: Path, depths: tuple[int, ...] = DEPTHS, seeds: int = SEEDS) -> None:
        self.place, self.master = folder / "place", folder / "master"
        self.runs: list[Trained] = []
        self.place.mkdir(parents=True)
        _image_tree(self.place / "images")
        for depth in depths:
            for residual in ("true", "false"):
                for seed in range(seeds):
                    self._train(f"depth={depth}", f"residual={residual}", f"seed={seed}", *TINY)
        for seed in (0, 1):
            self._train("depth=8", f"seed={seed}", *IMAGES, *TINY)
        for run in (self.runs[0], self.runs[-1]):
            _expect(resx("analyze", "responses", f"runs={run.directory}", place=self.place))
        _expect(resx("report", f"runs={self.runs[0].directory.parent}/*", place=self.place))
        shutil.copytree(self.place, self.master, symlinks=True)
        self.hashes = self.hash_all()
        self.results = {run.directory: result(self.place / run.directory) for run in self.runs}

    def _train(self, *request: str) -> None:
        known = {run.directory for run in self.runs}
        _expect(resx("train", *request, place=self.place))
        found = {p.parent.relative_to(self.place) for p in self.place.glob(f"{RUNS}/summary.json")}
        (directory,) = found - known
        self.runs.append(Trained(directory, request))

    def hash_all(self, but: Path | None = None) -> dict[Path, str]:
        directories = (run.directory for run in self.runs if run.directory != but)
        return {directory: hash_of(self.place / directory) for directory in directories}

    def restore(self, *below: Path) -> None:
        """As it was, at these paths and wherever a command writes."""
        for path in (*below, *map(Path, ("outputs/reports", "outputs/aside", "outputs/cache"))):
            _remove(self.place / path)
            source = self.master / path
            if source.is_dir():
                shutil.copytree(source, self.place / path, symlinks=True)
            elif source.exists():
                shutil.copy2(source, self.place / path)


RUNS = "outputs/runs/*/*/*"


def _expect(outcome: Outcome) -> None:
    if outcome.code:
        raise RuntimeError(f"the store cannot be made: {outcome.out}{outcome.err}")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def hash_of(directory: Path) -> str:
    """Of all files of a run, but for the lock, which whoever looks may touch."""
    digest = hashlib.sha256()
    for path in sorted(p for p in directory.rglob("*") if p.is_file() and p.name != ".lock"):
        digest.update(str(path.relative_to(directory)).encode() + path.read_bytes())
    return digest.hexdigest()


def result(directory: Path) -> tuple[Any, ...]:
    """What training gave: records without the clock, weights, final scores."""
    lines = (directory / "metrics.jsonl").read_text().splitlines()
    records = [json.loads(line) | {"seconds": 0} for line in lines]
    try:
        weights = checkpoint.load(directory / "checkpoint.pt")["state"]["model"]
    except RequestError:  # a finished run can do without
        weights = {}
    tensors = {name: torch.as_tensor(value).tolist() for name, value in weights.items()}
    return records, tensors, json.loads((directory / "summary.json").read_text())["final"]


def _image_tree(root: Path) -> None:
    random = np.random.default_rng(0)
    for split in ("train", "test"):
        for label, brightness in (("cat", 0), ("dog", 128)):
            folder = root / split / label
            folder.mkdir(parents=True)
            for i in range(12):
                pixels = random.integers(brightness, brightness + 128, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{i}.png")
