"""From a study and what was typed to its jobs: overrides, configuration, run directory."""

import hashlib
import itertools
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from resx.config.composing import Setting, Typed, parse
from resx.config.requests import ReportRequest, StudyRequest
from resx.config.run_hash import logistics_names
from resx.config.schema import StudyConfig, TrainConfig
from resx.config.settings import setting
from resx.config.variation import Variation, spelled
from resx.errors import RequestError, unknown
from resx.reference.papers import paper_networks
from resx.reference.protocols import protocols
from resx.store.run import Run
from resx.store.store import Store

NAMES = {"data": "data.name", "model": "model.name", "recipe": "recipe.name"}
# Settings of the request that are no settings of its runs.
OWN = {"study", "sweeps", "preview", "status", "runs", "jobs", "threads"}

LONGEST_NAMES = 40  # characters of a study's own name; what does not fit is in the hash alone


class Job(NamedTuple):
    overrides: list[str]
    config: TrainConfig
    run: Run


class Grid(NamedTuple):
    """A study as it was asked for: `rows` are the settings that its table's rows tell apart.

    `typed` is what was typed beside the study's name.
    """

    name: str
    rows: list[str]
    jobs: list[Job]
    typed: list[str]


def expand(request: StudyRequest | ReportRequest, typed: Typed) -> Grid:
    """All jobs of a study; what was typed wins over its yaml and makes a study of another name.

    A setting that was typed with one value settles it for all jobs; a sweep that was typed takes
    the place of the yaml's values. Raises `RequestError` for a job whose settings are refused.
    """
    study = request.study
    if study is None:
        raise RequestError("name a study: resx study NAME, or study=NAME (resx list study)")
    refuse_unknown_papers(study)
    fixed = [s for s in typed.settings if s.key not in OWN]
    settled = {s.key for s in fixed}
    sweeps = {s.key: s for s in parse(request.sweeps) if s.key not in settled}
    base = [f"study={typed.choices['study']}", *(s.line for s in fixed)]
    # A study is a union of grids, as some papers' tables are no product of settings (He 2015,
    # Table 3): each grid has axes of its own, and a cell of two of them is one run.
    variation, store = Variation(base), Store(request.outputs)
    jobs: dict[str, Job] = {}  # by directory
    swept: dict[str, None] = {}
    for grid in _with_typed_model(study.grid, fixed):
        axes = {k: _as_list(v) for k, v in grid.items() if k not in settled}
        axes |= {k: list(s.values or ()) for k, s in sweeps.items()}
        for values in itertools.product(*axes.values()):
            cell = dict(zip(axes, values))
            config = variation.config(cell)
            run = store.run(config)
            overrides = [*base, *(f"{k}={spelled(v)}" for k, v in cell.items())]
            jobs[str(run.directory)] = Job(overrides, config, run)
            swept |= dict.fromkeys(axes)
    rows = rows_of([job.config for job in jobs.values()], swept)
    if study.best_over is not None and study.best_over not in rows:
        raise RequestError(f"study.best_over={study.best_over}: the grid does not sweep it")
    if unswept := [key for key in study.control or {} if key not in rows]:
        raise RequestError(f"study.control: the grid does not sweep {', '.join(unswept)}")
    changes = [*fixed, *sweeps.values()]
    name = own_name(study.name, [s for s in changes if s.key not in logistics_names(TrainConfig)])
    return Grid(name, rows, list(jobs.values()), [s.line for s in changes])


def refuse_unknown_papers(study: StudyConfig) -> None:
    """Raises `RequestError` for a protocol, a table or a network of one that is not there."""
    if study.reference is not None and study.reference not in protocols():
        raise RequestError(unknown("study.reference", study.reference, protocols()))
    for key, names in study.papers.items():
        if key not in paper_networks():
            raise RequestError(unknown("study.papers", key, paper_networks()))
        known = paper_networks()[key]
        if strange := [name for name in names if name not in known]:
            raise RequestError(unknown(f"study.papers.{key}", strange[0], known))


def _with_typed_model(grids: list[dict[str, Any]], fixed: list[Setting]) -> list[dict[str, Any]]:
    """Of a study of several families those grids that are of the one that was typed.

    Raises `RequestError` if none is: what they vary belongs to their own families.
    """
    chosen = next((s.value for s in fixed if s.key == "model"), None)
    if chosen is None or not any("model" in grid for grid in grids):
        return grids
    kept = [grid for grid in grids if chosen in _as_list(grid.get("model", chosen))]
    if not kept:
        families = dict.fromkeys(name for grid in grids for name in _as_list(grid["model"]))
        raise RequestError(f"model={chosen}: the study has {', '.join(families)}")
    return kept


def rows_of(configs: list[TrainConfig], swept: Iterable[str]) -> list[str]:
    """Depth, the family if there are several, and what the grid varies within a family.

    A setting that only goes along with the family, such as a width that suits it, is no row: each
    family has one value of it.
    """
    family = NAMES["model"]
    found = []
    for key in (NAMES.get(k, k) for k in swept):
        values = {
            (setting(c, family) if key != family else None, repr(setting(c, key))) for c in configs
        }
        if len(values) > len({name for name, _ in values}):
            found.append(key)
    return ["depth", *(k for k in found if k not in ("depth", "residual", "seed"))]


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def own_name(study: str, changes: list[Setting]) -> str:
    """`degradation`, or `degradation+depth+seed-1a2b3c` with what was typed beside it.

    The names of what was changed, and a hash of to what; as a folder it needs no quotes.
    """
    if not changes:
        return study
    typed = "+".join(sorted(s.line for s in changes))
    names = sorted({re.sub(r"[^A-Za-z0-9_]", "", s.key.rpartition(".")[2]) for s in changes})
    while len("+".join(names)) > LONGEST_NAMES:
        names.pop()
    return f"{'+'.join([study, *names])}-{hashlib.sha256(typed.encode()).hexdigest()[:6]}"
