"""How far a study is, read from its run directories."""

from collections import Counter
from collections.abc import Mapping

from rich.table import Table

from resx.config.settings import setting
from resx.store.summary import Status, Summary
from resx.study.grid import Grid, Job


def counted(statuses: Counter[Status]) -> str:
    """`3 finished, 1 missing`."""
    return ", ".join(f"{n} {status}" for status, n in statuses.most_common()) or "none"


def key_of(job: Job) -> str:
    return str(job.run.directory)


def look(grid: Grid) -> dict[str, Summary]:
    """All summaries as they are now, by run directory."""
    return {key_of(job): job.run.seen() for job in grid.jobs}


def status_table(grid: Grid, seen: Mapping[str, Summary]) -> Table:
    """A row for each setting, plain and residual beside each other: states, steps, error so far.

    `seen` are the summaries as they are now, by run directory.
    """
    table = Table(title=f"study {grid.name}")
    for head in (*(row.rsplit(".", 1)[-1] for row in grid.rows), "plain", "residual"):
        table.add_column(head)
    cells: dict[tuple[str, ...], dict[bool, list[Job]]] = {}
    for job in grid.jobs:
        key = tuple(str(setting(job.config, row)) for row in grid.rows)
        cells.setdefault(key, {True: [], False: []})[job.config.residual].append(job)
    for key, jobs in cells.items():
        table.add_row(*key, cell_text(jobs[False], seen), cell_text(jobs[True], seen))
    return table


def cell_text(jobs: list[Job], seen: Mapping[str, Summary]) -> str:
    if not jobs:
        return "-"
    summaries = [seen[key_of(job)] for job in jobs]
    text = counted(Counter(summary.status for summary in summaries))
    scores = [summary.last.get("train_clean") for summary in summaries]
    errors = [score.error for score in scores if score]
    if errors:
        text += f"; training error {100 * sum(errors) / len(errors):.2f} %"
    running = [j.run.last_step() for j, s in zip(jobs, summaries) if s.status is Status.RUNNING]
    if running:
        text += f"; at step {', '.join(map(str, running))} of {jobs[0].config.recipe.steps}"
    return text
