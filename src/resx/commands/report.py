"""`resx report`: tables, verdicts, figures and a page, at any time, of a study or of any runs."""

import json
import re
import shlex
from pathlib import Path

from hydra import compose
from omegaconf import DictConfig

from resx.config.schema import ReportRequest, StudyRequest, TrainConfig
from resx.config.settings import flattened, typed
from resx.errors import RequestError
from resx.reference.published import PROTOCOLS
from resx.report.build import Question, Report, build_report
from resx.report.collect import collect, find_runs
from resx.study.grid import Grid, Job, expand

PROTOCOL_SETTINGS: tuple[str, ...] = ("data.name", "images", "data.pad", "data.flip")
PROTOCOL_SETTINGS += ("data.normalize", "data.mean", "data.std", "data.image_size", "data.crops")
PROTOCOL_SETTINGS += ("precision", "model.width", "model.norm", "model.stride_in")
PROTOCOL_SETTINGS += ("model.name", "model.zero_init_last", "model.drop_path")


def main(request: ReportRequest, composed: DictConfig) -> int:
    """Raises `RequestError` if there is nothing to report, or the runs do not belong together."""
    if request.runs is not None:
        directories = find_runs(request.runs)
        slug = re.sub(r"[^A-Za-z0-9_=+-]+", "-", request.runs).strip("-") or "runs"
        command = shlex.join(["resx", "report", f"runs={json.dumps(request.runs)}"])
        about = Question(slug, f"Runs {request.runs}", command, [])
        show(build_report(collect(directories), about, Path(request.outputs, "reports", slug)))
        return 0
    report_study(expand(request), request)
    return 0


def report_study(grid: Grid, request: StudyRequest | ReportRequest) -> None:
    study = request.study
    assert study is not None
    directories = [j.run.directory for j in grid.jobs if j.run.directory.is_dir()]
    collected = collect(directories)
    if not directories:
        raise RequestError(f"study {grid.name} has no runs yet: resx study {study.name}")
    protocol = protocol_of(study.reference) if study.reference else None
    command = shlex.join(["resx", "study", study.name, *grid.typed])
    about = Question(
        grid.name,
        study.question,
        command,
        grid.rows,
        study.reference,
        protocol,
        tuple((key_of_row(job, grid.rows), job.config.residual) for job in grid.jobs),
        study.best_over,
    )
    show(build_report(collected, about, Path(request.outputs, "reports", grid.name)))


def protocol_of(reference: str) -> dict[str, object]:
    """The paper's settings in which a departure is worth a word; a list where it has several."""
    paper = PROTOCOLS[reference]
    overrides = [*paper.overrides, "data.root=null"]
    flat = flattened(typed(compose("train", overrides), TrainConfig)) | {"images": paper.images}
    names = [*PROTOCOL_SETTINGS, *(name for name in flat if name.startswith("recipe."))]
    silent = ("recipe.name", "recipe.record_every", "recipe.eval_every", "recipe.save_every")
    return {name: flat[name] for name in names if name not in silent} | paper.variants


def key_of_row(job: Job, rows: list[str]) -> tuple[object, ...]:
    flat = flattened(job.config)
    return tuple(flat.get(row) for row in rows)


def show(report: Report) -> None:
    """The verdicts and the gap tables as text, and where the rest lies."""
    for verdict in report.verdicts:
        print(f"* {verdict}")
    for heading, table in list(report.tables.items())[:3]:
        print(f"\n{heading} (%)\n{table.to_string(index=False)}")
    print(f"\npage: {report.directory / 'index.html'}")
