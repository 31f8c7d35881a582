"""`resx analyze NAME`: one analysis of runs, or of networks at initialisation."""

import hashlib
import itertools
import json
from collections.abc import Sequence
from pathlib import Path

from resx.analyses.analysis import Finding
from resx.config.components import build
from resx.config.composing import Typed, parse
from resx.config.requests import AnalyzeConfig
from resx.config.run_hash import run_hash
from resx.config.schema import TrainConfig
from resx.config.variation import Variation
from resx.errors import RequestError
from resx.experiment import Experiment, open_run, prepare
from resx.plotting import draw
from resx.report.collect import find_runs
from resx.store.run import Run
from resx.store.store import Store
from resx.store.writing import replace_text

OWN = ("analysis", "runs", "sweeps", "force")
FREE = {"device", "outputs", "trust"}  # what may be said beside runs


def main(config: AnalyzeConfig, typed: Typed) -> int:
    """Prints the paragraph; found again like a run, and then computed no second time.

    Raises `RequestError` if there is nothing to analyse, or the analysis cannot take it.
    """
    if not config.analysis:
        raise RequestError("name an analysis: resx analyze NAME (resx list analysis)")
    if config.runs is not None and (strange := sorted(set(_of_networks(typed)) - FREE)):
        raise RequestError(f"{strange[0]}: a run's own configuration decides that")
    directories = find_runs(config.runs) if config.runs is not None else []
    opened = [open_run(directory) for directory in directories]
    fresh = [] if opened else _fresh(config, typed)
    keys = [run.summary.hash for run in opened] or [run_hash(c) for c in fresh]
    place = _place(config, keys, opened)
    if config.force or not (place / "summary.json").is_file():
        experiments = [run.experiment(config.device, config.trust) for run in opened]
        experiments = experiments or [prepare(c) for c in fresh]
        _write(_analyse(config, experiments), place)
    print(json.loads((place / "summary.json").read_text())["text"])
    print(f"\nfigure: {place / 'figure.png'}")
    return 0


def _fresh(config: AnalyzeConfig, typed: Typed) -> list[TrainConfig]:
    """The configurations of all networks that were typed."""
    base = [s.line for s in typed.settings if s.key in _of_networks(typed)]
    axes = {s.key: s.values or () for s in parse(config.sweeps)}
    variation = Variation(base)
    cells = [dict(zip(axes, values)) for values in itertools.product(*axes.values())]
    return [variation.config(cell) for cell in cells]


def _of_networks(typed: Typed) -> list[str]:
    """What was typed of networks and images, not of the analysis itself."""
    return [k for k in typed.keys if k not in OWN and not k.startswith("analysis.")]


def _place(config: AnalyzeConfig, keys: list[str], opened: Sequence[Run]) -> Path:
    """With the run if it is of one alone, else by what it is of; options tell results apart."""
    text = json.dumps([config.analysis, sorted(keys)], sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()[:10]
    name = str(config.analysis["name"])
    if len(opened) == 1:
        return opened[0].analysis(f"{name}-{key}")
    return Store(config.outputs).analysis(name, key)


def _analyse(config: AnalyzeConfig, experiments: list[Experiment]) -> Finding:
    finding = build(config.analysis, "analysis", Finding, config.trust, experiments=experiments)
    assert isinstance(finding, Finding)
    return finding


def _write(finding: Finding, place: Path) -> None:
    """The summary last: where it stands, the rest is whole."""
    replace_text(place / "rows.csv", finding.rows.to_csv(index=False))
    draw("figure", place, finding.figure)
    summary = finding.summary | {"text": finding.text}
    replace_text(place / "summary.json", json.dumps(summary, indent=1) + "\n")
