"""What an analysis found, as files: rows, a figure, a summary, TensorBoard's scalars."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import pandas as pd
from torch.utils.tensorboard import SummaryWriter

from resx.analyses.analysis import Finding
from resx.analyses.parts.batch_norm import statistics_used
from resx.analyses.parts.words import name_of
from resx.config.run_hash import run_hash
from resx.config.typed import typed
from resx.environment import environment
from resx.experiment import Experiment
from resx.plotting import draw
from resx.store.clearing import clear_analysis
from resx.store.reading import read_file, sealed, unsealed
from resx.store.spreadsheet import csv_text
from resx.store.writing import naming, replace_text

# Raised whenever an analysis gives other numbers, texts or verdicts for the same request, so that
# what was found before is computed again.
RULES = 3
SUMMARY, ROWS, FIGURE = "summary.json", "rows.csv", "figure"
IDENTITY = ("depth", "seed", "block", "step")  # columns that say of what a row is, not what it is


@dataclass(frozen=True)
class Result:
    """`summary.json` of an analysis; `numbers` are those that matter, `text` one paragraph.

    `claim`, `verdict`, `effect`, `interval` and `measure` are those of its `Finding`. `notes` are
    what a reader must know of the choice of networks.
    """

    analysis: str
    text: str
    claim: str = ""
    verdict: str | None = None
    effect: float | None = None
    interval: list[float] | None = None
    measure: str = ""
    numbers: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    networks: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    environment: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, place: Path) -> "Result | None":
        """None if the analysis was not completed there, not by this version, or is damaged."""
        try:
            stored = unsealed(read_file(place / SUMMARY))
            if lacking := [item.name for item in fields(cls) if item.name not in stored]:
                raise ValueError(f"it has no {lacking[0]}")
            if not all((place / name).is_file() for name in (ROWS, f"{FIGURE}.png")):
                raise ValueError("it has no rows or no figure")
            found: Result = typed(stored, cls, "summary")
        except (ValueError, TypeError, RecursionError):
            return None
        return found


def store(
    finding: Finding,
    experiments: Sequence[Experiment],
    place: Path,
    analysis: dict[str, Any],
    notes: list[str],
    seconds: float,
) -> Result:
    """Write all files; the summary last: where it stands, the rest is whole."""
    result = Result(
        analysis=str(analysis["name"]),
        text=finding.text,
        claim=finding.claim,
        verdict=None if finding.verdict is None else str(finding.verdict),
        effect=_plain(finding.effect),
        interval=_plain(finding.interval),
        measure=finding.measure,
        numbers=_plain(finding.summary),
        notes=notes,
        options={k: v for k, v in analysis.items() if k not in ("name", "_target_")},
        networks=[_described(e, analysis.get("batch_norm")) for e in experiments],
        seconds=round(seconds, 1),
        environment=asdict(environment()),
    )
    clear_analysis(place)
    replace_text(place / ROWS, csv_text(finding.rows, index=False))
    with naming(place):
        draw(FIGURE, place, finding.figure)
        with SummaryWriter(place) as board:
            for tag, value, step in _scalars(result, finding.rows):
                board.add_scalar(tag, value, step)
    replace_text(place / SUMMARY, sealed(asdict(result)))
    return result


def _described(experiment: Experiment, batch_norm: str | None) -> dict[str, Any]:
    """`batch_norm` is what was asked for; fresh averages are never used."""
    config = experiment.config
    used = statistics_used(experiment.network, batch_norm) if batch_norm else None
    return {
        "network": experiment.network.title,
        "model": config.model.get("name"),
        "depth": config.depth,
        "residual": config.residual,
        "seed": config.seed,
        "step": experiment.step,
        "batch_norm": used,
        "data": config.data.name,
        "hash": run_hash(config),
        "run": str(experiment.run.directory) if experiment.run else None,
    }


def _scalars(result: Result, rows: pd.DataFrame) -> Iterator[tuple[str, float, int]]:
    """The numbers that matter at the networks' step, and along training the means of each column.

    Tags: `analysis/name/of/number`, and `analysis/column/residual-56` against the step.
    """
    last = max((network["step"] for network in result.networks), default=0)
    for name, value in _flat(result.numbers):
        yield f"{result.analysis}/{name}", value, last
    if "step" not in rows or rows["step"].nunique() < 2 or not {"depth", "residual"} <= {*rows}:
        return
    measured = [c for c in rows.select_dtypes("number") if c not in IDENTITY]
    means = rows.groupby(["depth", "residual", "step"])[measured].mean()
    for (depth, residual, step), values in means.iterrows():
        for column, value in values.items():
            if math.isfinite(value):
                yield (
                    f"{result.analysis}/{column}/{name_of(residual, depth)}",
                    float(value),
                    int(step),
                )


def _flat(numbers: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for name, value in numbers.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}/")
        elif isinstance(value, int | float):
            yield f"{prefix}{name}", float(value)


def _plain(value: Any) -> Any:
    """As JSON has it: numpy's numbers as Python's, None for what is not finite."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
