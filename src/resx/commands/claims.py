"""`resx claims`: every claim of the notes with what was measured of it."""

import logging
import shlex
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from resx.claims.page import PAGE, write_pages
from resx.claims.row import FAILED, NOT_MEASURED, Row, counted, of_result
from resx.claims.studies import of_comparison, of_verdict
from resx.claims.table import terminal_table, write_markdown
from resx.commands.analyze import Request, analyze, prepare_request
from resx.commands.measuring import Plan, failed_here, missing, open_jobs, plans, train
from resx.commands.report import study_report, study_runs
from resx.config.composing import Typed, parse
from resx.config.refusals import one_line
from resx.config.requests import ClaimsRequest
from resx.environment import environment
from resx.errors import RequestError, unknown
from resx.reference.claims import all_claims
from resx.report.selection import select
from resx.store.store import Store
from resx.study.outlook import outlook

log = logging.getLogger(__name__)


def main(config: ClaimsRequest, typed: Typed) -> int:
    """1 if an analysis or the training of its runs failed; what was not asked for says how it is.

    Raises `RequestError` for a claim that does not exist.
    """
    known = {claim.id: claim for claim in all_claims()}
    for name in config.only:
        if name not in known:
            raise RequestError(unknown("claim", name, known))
    if config.file is not None and not (folder := Path(config.file).parent).is_dir():
        raise RequestError(f"file={config.file}: there is no folder {folder}")
    if config.file is not None and Path(config.file).suffix != ".md":
        raise RequestError(f"file={config.file}: the page is Markdown; name it {config.file}.md")
    chosen = [known[name] for name in config.only or known]
    planned = plans(chosen, config, typed)
    if config.preview:
        preview(planned, config, typed)
        return 0
    failures = train(missing(planned, config.run), typed)
    rows = [measure(plan, config, failures) for plan in planned]
    print(terminal_table(rows))
    print(f"\n{counted(rows)}")
    publish(rows, config, planned[0].name, shlex.join(["resx", "claims", *_typed(config, typed)]))
    return 1 if any(row.verdict == FAILED for row in rows) else 0


def publish(rows: Sequence[Row], config: ClaimsRequest, name: str, command: str) -> None:
    """The page, and the Markdown file that was asked for."""
    here = environment()
    made = f"resx {here.resx}, commit {here.git_commit or 'unknown'}, torch {here.torch}"
    made += f", {here.hardware} ({here.capability}, {here.threads} threads)"
    folder = Store(config.outputs).claims(name)
    write_pages(rows, command, made, folder)
    print(f"page: {folder / PAGE}")
    if config.file is not None:
        for page in write_markdown(rows, command, made, Path(config.file)):
            print(f"file: {page}")


def preview(planned: Sequence[Plan], config: ClaimsRequest, typed: Typed) -> None:
    """What is missing and what it would cost; nothing is computed."""
    jobs = missing(planned, config.run)
    print(f"{len({p.claim.id for p in planned})} claims, {len(planned)} measurements")
    for plan in planned:
        if plan.failure:
            print(f"{plan.claim.id}: {plan.failure}")
    open_analyses = [p for p in planned if p.analysis and not p.failure and _is_open(p, config)]
    minutes = sum(plan.measurement.minutes for plan in open_analyses)
    names = ", ".join(p.measurement.analysis for p in open_analyses) or "none"
    print(f"analyses missing: {names}; about {minutes:.0f} min")
    if jobs:
        assert jobs[0].request is not None
        grid = [each.job for each in jobs]
        print(outlook(jobs[0].request, grid, grid, typed, offline=True).line)
    studies = Counter({p.study_line: len(open_jobs(p)) for p in planned if p.measurement.study})
    for line, count in studies.items():
        if count and config.run != "all":
            print(f"not run without run=all: {line} ({count} runs)")


def _is_open(plan: Plan, config: ClaimsRequest) -> bool:
    """Whether an analysis would be computed: what refuses its runs is said, and it is not."""
    if config.force or open_jobs(plan):
        return True
    try:
        return _request(plan).found is None
    except Exception as error:
        line = one_line(error, "claims")
        if line is None:
            raise
        print(f"{plan.claim.id}: {line}")
        return False


def _request(plan: Plan) -> Request:
    assert plan.analysis is not None
    grid = plan.grid
    directories = [job.run.directory for job in grid.jobs] if grid is not None else None
    return prepare_request(*plan.analysis, directories)


def measure(plan: Plan, config: ClaimsRequest, failures: Mapping[str, str]) -> Row:
    """Reads or computes one row; whatever goes wrong is said in it, and the others go on.

    `failures` are those of runs that were trained for it, by directory.
    """
    if failure := plan.failure or failed_here(plan, failures):
        return Row(plan.claim, plan.measurement, FAILED, failure)
    try:
        return _of_study(plan) if plan.analysis is None else _of_analysis(plan, config)
    except Exception as error:
        line = one_line(error, "claims")
        if line is None:
            log.error("%s", traceback.format_exc())
        text = line or f"{type(error).__name__}: {error}"
        return Row(plan.claim, plan.measurement, FAILED, text)


def _of_study(plan: Plan) -> Row:
    if left := open_jobs(plan):
        text = f"{len(left)} of {len(plan.jobs)} runs are missing: {plan.study_line}"
        return Row(plan.claim, plan.measurement, NOT_MEASURED, text)
    assert plan.grid is not None and plan.request is not None
    report = Store(plan.request.outputs).report(plan.grid.name)
    if _is_older(report / "verdicts.json", (job.run.directory for job in plan.jobs)):
        study_report(plan.grid, plan.request)
    if plan.measurement.question:
        return of_verdict(plan.claim, plan.measurement, report)
    selected = select(*study_runs(plan.grid, plan.request))
    return of_comparison(plan.claim, plan.measurement, selected, report)


def _is_older(report: Path, runs: Iterable[Path]) -> bool:
    """Whether a report is missing, or was made before one of its runs ended."""
    if not report.is_file():
        return True
    return any((run / "summary.json").stat().st_mtime > report.stat().st_mtime for run in runs)


def _of_analysis(plan: Plan, config: ClaimsRequest) -> Row:
    if left := open_jobs(plan):
        text = f"{len(left)} of {len(plan.jobs)} runs are missing: resx claims run=analyses"
        return Row(plan.claim, plan.measurement, NOT_MEASURED, text)
    request = _request(plan)
    if config.run == "none" and not request.found:
        row = Row(plan.claim, plan.measurement, NOT_MEASURED)
        return replace(row, text=row.command)
    assert plan.analysis is not None
    if not request.found:
        print(f"{plan.claim.id}: {plan.measurement.analysis} ...", file=sys.stderr)
    result = analyze(plan.analysis[0], request)
    return of_result(plan.claim, plan.measurement, result, request.place)


def _typed(config: ClaimsRequest, typed: Typed) -> list[str]:
    """What a person would type to have the same, sweeps as they were typed."""
    swept = [s.line for s in parse(config.sweeps)]
    return [s.line for s in typed.settings if s.key not in ("outputs", "sweeps")] + swept
