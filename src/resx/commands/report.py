"""`resx report`: tables, verdicts, figures and a page, at any time, of a study or of any runs."""

import json
import re
import shlex

from resx.config.composing import Typed
from resx.config.requests import ReportRequest, StudyRequest
from resx.errors import RequestError
from resx.report.build import PAGE, build_report
from resx.report.collect import Collected, collect, find_runs
from resx.report.findings import Report
from resx.report.selection import PlannedRun, Selection, row_key
from resx.report.tables import PAPERS
from resx.store.integrity import REMEDY
from resx.store.store import Store
from resx.study.grid import Grid, expand


def main(request: ReportRequest, typed: Typed) -> int:
    """Raises `RequestError` for nothing to report, or for runs of one row that differ in more."""
    if request.runs is None and request.study is None:
        raise RequestError(
            "name a study or runs: resx report NAME (resx list study), or resx report runs=GLOB"
        )
    if request.runs is None:
        report_study(expand(request, typed), request)
    else:
        report_runs(request.runs, Store(request.outputs))
    return 0


def report_runs(pattern: str, store: Store) -> None:
    name = re.sub(r"[^A-Za-z0-9_=+-]+", "-", pattern).strip("-") or "runs"
    command = shlex.join(["resx", "report", f"runs={json.dumps(pattern)}"])
    selection = Selection(name, f"Runs {pattern}", command)
    show(build_report(collect(find_runs(pattern)), selection, store), store)


def report_study(grid: Grid, request: StudyRequest | ReportRequest) -> None:
    show(study_report(grid, request), Store(request.outputs))


def study_report(grid: Grid, request: StudyRequest | ReportRequest) -> Report:
    """Raises `RequestError` if there are no runs yet."""
    return build_report(*study_runs(grid, request), Store(request.outputs))


def study_runs(grid: Grid, request: StudyRequest | ReportRequest) -> tuple[Collected, Selection]:
    """What is there of a study, and how its runs are judged.

    Raises `RequestError` if there are no runs yet.
    """
    study = request.study
    assert study is not None
    directories = [job.run.directory for job in grid.jobs if job.run.directory.is_dir()]
    if not directories:
        raise RequestError(f"study {grid.name} has no runs yet: resx study {study.name}")
    # All the grid asks for, also what has no directory yet: its cells read `missing`.
    planned = (PlannedRun(row_key(j.config, grid.rows), j.config.residual) for j in grid.jobs)
    selection = Selection(
        name=grid.name,
        question=study.question,
        command=shlex.join(["resx", "study", study.name, *grid.typed]),
        rows=tuple(grid.rows),
        planned=tuple(planned),
        study=study,
    )
    return collect(directories), selection


def show(report: Report, store: Store) -> None:
    """The verdicts and the tables of errors as text, and where the rest lies."""
    for sentence in report.sentences:
        print(f"* {sentence}")
    for measure, table in report.tables.gaps.items():
        if measure.is_error:
            print(f"\n{measure.heading} ({measure.unit})\n{table.to_string(index=False)}")
    if report.tables.papers is not None:
        print(f"\n{PAPERS}\n{report.tables.papers.to_string(index=False)}")
    for reason in report.selected.skipped.values():
        print(f"skipped: {reason}; {REMEDY}")
    print(f"\npage: {store.report(report.selected.selection.name) / PAGE}")
