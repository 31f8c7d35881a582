"""`resx analyze NAME`: one analysis of runs, of files of weights, or of fresh networks."""

import hashlib
import itertools
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from resx.analyses.analysis import OF_RECORDS, Finding
from resx.analyses.result import FIGURE, RULES, Result, store
from resx.analyses.subjects import (
    Subject,
    build_all,
    of_checkpoint,
    of_file,
    of_network,
    of_run,
    without_twin,
)
from resx.config.components import build, find
from resx.config.composing import Typed, parse
from resx.config.requests import BESIDE_RUNS, AnalyzeConfig
from resx.config.schema import TrainConfig
from resx.config.settings import from_stored, to_dict
from resx.config.stored import with_typed
from resx.config.variation import Variation
from resx.errors import RequestError
from resx.experiment import StoredRun, open_run
from resx.reference.claims import claim
from resx.report.collect import find_runs
from resx.store import checkpoint
from resx.store.saved import is_own
from resx.store.store import Store

log = logging.getLogger(__name__)

OWN = ("analysis", "runs", "snapshots", "weights", "naming", "sweeps", "force")


@dataclass(frozen=True)
class Request:
    """What is looked at, and where what is found lies or will lie."""

    subjects: list[Subject]
    place: Path

    @property
    def found(self) -> Result | None:
        """What an earlier call found, if it was completed."""
        return Result.read(self.place)


def main(config: AnalyzeConfig, typed: Typed) -> int:
    """Prints claim, paragraph and verdict; found again like a run, and computed no second time.

    Raises `RequestError` if there is nothing to analyse, or the analysis cannot take it.
    """
    request = prepare_request(config, typed)
    show(analyze(config, request), request.place)
    return 0


def prepare_request(
    config: AnalyzeConfig, typed: Typed, directories: Sequence[Path] | None = None
) -> Request:
    """Finds runs and files, builds no network.

    Other commands name the runs by their `directories`. Raises `RequestError` for what cannot be.
    """
    if not config.analysis:
        raise RequestError("name an analysis: resx analyze NAME (resx list analysis)")
    if directories is None:
        directories = find_runs(config.runs) if config.runs is not None else ()
    runs = [open_run(directory) for directory in directories]
    subjects = _subjects(config, typed, runs)
    if not subjects:
        raise RequestError("nothing to analyse")
    place = _place(config, subjects, runs)
    return Request(subjects, place)


def analyze(config: AnalyzeConfig, request: Request) -> Result:
    """What was found earlier, or is found now, unless `force`."""
    found = None if config.force else request.found
    if found is not None:
        return found
    started = time.perf_counter()
    experiments = build_all(request.subjects)
    finding = build(config.analysis, "analysis", Finding, config.trust, experiments=experiments)
    assert isinstance(finding, Finding)
    seconds = time.perf_counter() - started
    notes = without_twin(experiments)
    return store(finding, experiments, request.place, config.analysis, notes, seconds)


def show(result: Result, place: Path) -> None:
    answered = claim(result.claim)
    if answered:
        print(f"claim: {answered.english}\n")
    print(result.text)
    for note in result.notes:
        print(f"note: {note} among the networks")
    if result.verdict:
        print(f"\nverdict: {result.verdict}{_evidence(result)}")
    print(f"\nfigure: {place / FIGURE}.png")


def _evidence(result: Result) -> str:
    if result.effect is None:
        return ""
    between = ""
    if result.interval:
        between = f" [{result.interval[0]:.4g}, {result.interval[1]:.4g}]"
    return f"; {result.effect:.4g}{between} {result.measure}".rstrip()


def _subjects(config: AnalyzeConfig, typed: Typed, runs: list[StoredRun]) -> list[Subject]:
    files = _files(config)
    if runs and files:
        raise RequestError("name either runs=GLOB or weights=FILE")
    if config.snapshots and not runs:
        raise RequestError("snapshots=true: only runs=GLOB keep weights along training")
    if runs:
        if strange := sorted(set(_of_networks(typed)) - {*BESIDE_RUNS}):
            raise RequestError(f"{strange[0]}: a run's own configuration decides that")
        root: dict[str, Any] = {} if config.data.root is None else {"data_root": config.data.root}
        target = config.analysis.get("_target_")
        analysis = find(target, "analysis", Finding, config.trust)
        weights = not hasattr(analysis, OF_RECORDS)
        parts = config.snapshots, config.device, config.trust, weights
        found = (of_run(run, *parts, **root) for run in runs)
        return list(itertools.chain.from_iterable(found))
    if files:
        return _of_files(config, typed, files)
    return [of_network(c) for c in _networks(config, typed)]


def _files(config: AnalyzeConfig) -> list[Path]:
    swept = {s.key: s.values or () for s in parse(config.sweeps)}
    names = swept.get("weights", ()) if config.weights is None else (config.weights,)
    return [Path(name) for name in names]


def _of_files(config: AnalyzeConfig, typed: Typed, files: list[Path]) -> list[Subject]:
    """Checkpoints say themselves of what they are; of other files each network is typed."""
    loaded = [checkpoint.load(file) for file in files]
    if all(map(is_own, loaded)):
        free = {*BESIDE_RUNS, *OWN, *(k for k in typed.keys if k.startswith("analysis."))}
        configs = [_of_training(s["config"], typed, free) for s in loaded]
        return [of_checkpoint(*each) for each in zip(files, loaded, configs)]
    networks = _networks(config, typed)
    if len(networks) != len(files):
        raise RequestError(
            f"weights: {len(files)} files for {len(networks)} networks; name one network for each,"
            " in their order, such as residual=false,true"
        )
    return [of_file(*each, config.naming) for each in zip(files, loaded, networks)]


def _of_training(stored: object, typed: Typed, free: set[str]) -> TrainConfig:
    """What a checkpoint was trained with, and what was typed of device, paths and trust."""
    request = with_typed(stored, typed, AnalyzeConfig, free)
    return replace(from_stored(to_dict(request), TrainConfig), trust=request.trust)


def _networks(config: AnalyzeConfig, typed: Typed) -> list[TrainConfig]:
    """The configurations of all networks that were typed."""
    base = [s.line for s in typed.settings if s.key in _of_networks(typed)]
    axes = {s.key: s.values or () for s in parse(config.sweeps) if s.key not in OWN}
    variation = Variation(base)
    cells = [dict(zip(axes, values)) for values in itertools.product(*axes.values())]
    return [variation.config(cell) for cell in cells]


def _of_networks(typed: Typed) -> list[str]:
    """What was typed of networks and images, not of the analysis itself."""
    return [k for k in typed.keys if k not in OWN and not k.startswith("analysis.")]


def _place(config: AnalyzeConfig, subjects: Sequence[Subject], runs: Sequence[StoredRun]) -> Path:
    """With the run if it is of one alone, else by what it is of; options and rules tell apart."""
    keys = sorted(json.dumps(s.key, sort_keys=True) for s in subjects)
    text = json.dumps([RULES, config.analysis, keys], sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()[:10]
    name = str(config.analysis["name"])
    if len(runs) == 1:
        return runs[0].analysis(f"{name}-{key}")
    return Store(config.outputs).analysis(name, key)
