"""How far a study is, read from its run directories."""

from collections import Counter

from rich.table import Table

from resx.config.settings import flattened
from resx.study.grid import Grid, Job


def state(job: Job) -> str:
    """finished, diverged, failed, interrupted, running or missing, from the directory alone."""
    status = job.run.read_summary().get("status", "missing")
    if status in ("finished", "diverged"):
        return str(status)
    if job.run.is_locked():
        return "running"
    return "interrupted" if status == "running" else str(status)


def told(counts: Counter[str]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.most_common()) or "none"


def key_of(job: Job) -> str:
    return str(job.run.directory)


def status_table(grid: Grid) -> Table:
    """A row for each setting, plain and residual beside each other: states, steps, error so far."""
    table = Table(title=f"study {grid.name}")
    for head in (*(row.rsplit(".", 1)[-1] for row in grid.rows), "plain", "residual"):
        table.add_column(head)
    cells: dict[tuple[str, ...], dict[bool, list[Job]]] = {}
    for job in grid.jobs:
        flat = flattened(job.config)
        key = tuple(str(flat.get(row)) for row in grid.rows)
        cells.setdefault(key, {True: [], False: []})[job.config.residual].append(job)
    for key, sides in cells.items():
        table.add_row(*key, cell_text(sides[False]), cell_text(sides[True]))
    return table


def cell_text(jobs: list[Job]) -> str:
    if not jobs:
        return "-"
    text = told(Counter(state(job) for job in jobs))
    errors = [
        score["error"]
        for job in jobs
        if (score := job.run.read_summary().get("last", {}).get("train_clean"))
    ]
    if errors:
        text += f"; training error {100 * sum(errors) / len(errors):.2f} %"
    steps = [job.run.last_step() for job in jobs if state(job) == "running"]
    if steps:
        text += f"; at step {', '.join(map(str, steps))} of {jobs[0].config.recipe.steps}"
    return text
