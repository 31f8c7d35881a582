"""From a study and what was typed to its jobs: overrides, configuration, run directory."""

import copy
import hashlib
import itertools
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from resx.config.checks import unknown
from resx.config.run_hash import logistics_names
from resx.config.schema import ReportRequest, StudyRequest, TrainConfig
from resx.config.settings import flattened, typed
from resx.errors import RequestError
from resx.reference.published import PROTOCOLS
from resx.store.run import Run

GROUPS = {"data", "model", "recipe"}
NAMES = {group: f"{group}.name" for group in GROUPS}  # the setting that tells which was chosen
# Settings of the request that are no settings of its runs.
OWN = {"study", "sweeps", "preview", "status", "runs"}


class Job(NamedTuple):
    overrides: list[str]
    config: TrainConfig
    run: Run


class Grid(NamedTuple):
    """A study as it was asked for: `rows` are the settings its table's rows tell apart.

    `typed` is what was typed beside the study's name.
    """

    name: str
    rows: list[str]
    jobs: list[Job]
    typed: list[str]


def expand(request: StudyRequest | ReportRequest) -> Grid:
    """All jobs of a study; what was typed wins over its yaml and makes a study of another name.

    Raises `RequestError` for a job whose settings are refused.
    """
    if request.study is None:
        raise RequestError("name a study: resx study NAME, or study=NAME (resx list study)")
    study = request.study
    if study.reference is not None and study.reference not in PROTOCOLS:
        raise RequestError(unknown("study.reference", study.reference, PROTOCOLS))
    fixed = [o for o in _typed_overrides() if o.key_or_group not in OWN]
    settled = {o.key_or_group for o in fixed}
    sweeps = {o.key_or_group: o for o in _parse(request.sweeps) if o.key_or_group not in settled}
    base = [f"study={_choice()}", *(str(o.input_line) for o in fixed)]
    jobs: dict[str, Job] = {}
    composed: dict[tuple[str, ...], DictConfig] = {}
    swept: dict[str, None] = {}
    for grid in _with_typed_model(study.grid, fixed):
        axes = {k: _as_list(v) for k, v in grid.items() if k not in settled}
        axes |= {k: list(o.sweep_string_iterator()) for k, o in sweeps.items()}
        for values in itertools.product(*axes.values()):
            cell = dict(zip(axes, values))
            overrides = [*base, *(f"{k}={_spelled(v)}" for k, v in cell.items())]
            groups = tuple(f"{k}={v}" for k, v in cell.items() if k in GROUPS)
            if groups not in composed:
                composed[groups] = compose("train", [*base, *groups])
            config = _with_values(composed[groups], cell)
            jobs[str(config.run_dir)] = Job(overrides, config, Run(config.run_dir))
            swept |= dict.fromkeys(axes)
    rows = rows_of([flattened(job.config) for job in jobs.values()], swept)
    if study.best_over is not None and study.best_over not in rows:
        raise RequestError(f"study.best_over={study.best_over}: the grid does not sweep it")
    typed_changes = [*fixed, *sweeps.values()]
    name = _own_name(study.name, [o for o in typed_changes if _changes(o)])
    typed_text = [str(o.input_line) for o in typed_changes]
    return Grid(name, rows, list(jobs.values()), typed_text)


def _with_typed_model(grids: list[dict[str, Any]], fixed: list[Override]) -> list[dict[str, Any]]:
    """Of a study of several families those grids that are of the one that was typed.

    Raises `RequestError` if none is: what they vary belongs to their own families.
    """
    chosen = next((o.value() for o in fixed if o.key_or_group == "model"), None)
    if chosen is None or not any("model" in grid for grid in grids):
        return grids
    kept = [grid for grid in grids if chosen in _as_list(grid.get("model", chosen))]
    if not kept:
        families = dict.fromkeys(name for grid in grids for name in _as_list(grid["model"]))
        raise RequestError(f"model={chosen}: the study has {', '.join(families)}")
    return kept


def rows_of(settings: list[dict[str, Any]], swept: Iterable[str]) -> list[str]:
    """Depth, the family if there are several, and what the grid varies within a family."""
    family = NAMES["model"]
    found = []
    for key in (NAMES.get(k, k) for k in swept):
        values = {(s[family] if key != family else None, repr(s.get(key))) for s in settings}
        if len(values) > len({name for name, _ in values}):
            found.append(key)
    return ["depth", *(k for k in found if k not in ("depth", "residual", "seed"))]


def _with_values(composed: DictConfig, cell: dict[str, Any]) -> TrainConfig:
    """As if the cell's settings had been composed with the rest, at a tenth of the time."""
    config = copy.deepcopy(composed)
    for key, value in cell.items():
        if key not in GROUPS:
            parsed = _parse([f"{key}={_spelled(value)}"])[0].value()
            OmegaConf.update(config, key, parsed)
    result = typed(config, TrainConfig)
    assert isinstance(result, TrainConfig)
    return result


def _typed_overrides() -> list[Override]:
    return _parse(list(HydraConfig.get().overrides.task))


def _parse(lines: list[str]) -> list[Override]:
    return OverridesParser.create().parse_overrides(lines)


def _choice() -> str:
    choice = HydraConfig.get().runtime.choices["study"]
    assert choice is not None
    return choice


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _spelled(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _changes(override: Override) -> bool:
    return override.key_or_group not in logistics_names(TrainConfig)


def _own_name(study: str, changes: list[Override]) -> str:
    """`degradation`, or `degradation+recipe.steps=100` for what was typed beside it."""
    if not changes:
        return study
    typed_text = "+".join(sorted(str(o.input_line) for o in changes))
    name = f"{study}+{re.sub(r'[^A-Za-z0-9_.,=+-]', '', typed_text)}"
    if len(name) <= 80:
        return name
    return f"{study}+{hashlib.sha256(typed_text.encode()).hexdigest()[:10]}"
