"""How far the runs of a study are: a line for each that ends, or a live table on a terminal."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from resx.config.notes import Ticket, begun, read_note
from resx.store.summary import Summary
from resx.study.clock import clock
from resx.study.grid import Grid, Job
from resx.study.status import key_of, look, status_table

REFRESH = 2.0  # seconds between looks at the runs


class Mark(NamedTuple):
    """How much had been done at a moment."""

    moment: float
    done: float


class Progress:
    """`seconds` predicts how long each run takes, by directory; without, they count alike."""

    def __init__(self, grid: Grid, seconds: Mapping[str, float]) -> None:
        self.grid, self.seconds = grid, seconds
        self.seen: dict[str, Summary] = {}
        self.done = 0
        self.live: Live | None = None
        self.first: Mark | None = None
        self.bar = Bar(
            SpinnerColumn(),
            BarColumn(),
            TextColumn("{task.completed} of {task.total} runs"),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
        )
        self.task = self.bar.add_task("", total=len(grid.jobs))

    @contextmanager
    def shown(self, jobs: Mapping[Ticket, Job]) -> Iterator[None]:
        """While these jobs run, as parts of sweeps that keep their notes."""
        self.jobs, self.open = list(jobs.values()), dict(jobs)
        self.seen = look(self.grid)
        self.done = sum(summary.status.is_final for summary in self.seen.values())
        self.last_look, self.first = 0.0, None
        if not sys.stdout.isatty():
            yield
            return
        with Live(self._table(), console=Console(), refresh_per_second=4) as self.live:
            try:
                yield
            finally:
                self.live.update(self._table())
        self.live = None

    def say(self, line: str) -> None:
        """At once, above a live table."""
        if self.live is not None:
            self.live.console.print(line)
        else:
            print(line, file=sys.stderr, flush=True)

    def look(self, at_once: bool = False) -> None:
        """Tell what has ended since the last look, two seconds ago or more."""
        if not at_once and time.monotonic() < self.last_look + REFRESH:
            return
        self.last_look = time.monotonic()
        begun_now = {Ticket(s, n) for s in {t.sweep for t in self.open} for n in begun(s)}
        noted = {t: read_note(*t) for t in sorted(begun_now & self.open.keys())}
        for ticket in noted:
            self.seen[key_of(self.open[ticket])] = self.open[ticket].run.seen()
        ended = {t: note for t, note in noted.items() if note and note.code is not None}
        jobs = {ticket: self.open.pop(ticket) for ticket in ended}
        left = self._left([self.open[ticket] for ticket in noted if ticket in self.open])
        for ticket, note in ended.items():
            if not note.elsewhere:
                self._ended(jobs[ticket], note.message, left)
        if self.live is not None:
            self.bar.update(self.task, completed=self.done, description=left)
            self.live.update(self._table())

    def _ended(self, job: Job, message: str, left: str) -> None:
        summary = self.seen[key_of(job)]
        self.done += summary.status.is_final
        if self.live is None:
            count = f"{self.done} of {len(self.grid.jobs)}"
            count += f", {left}" if left and self.done < len(self.grid.jobs) else ""
            print(f"{count}: {result(job, summary, message)}", flush=True)

    def _left(self, at_work: list[Job]) -> str:
        """`about 2 min left`, from how far the runs have come since the first step was seen."""
        done = sum(map(self._weight, self.jobs)) - sum(map(self._weight, self.open.values()))
        done += sum(self._weight(job) * self._share(job) for job in at_work)
        if self.first is None and done:
            self.first = Mark(time.monotonic(), done)
        if self.first is None or done <= self.first.done or not self.open:
            return ""
        rate = (done - self.first.done) / (time.monotonic() - self.first.moment)
        left = sum(map(self._weight, self.jobs)) - done
        return f"about {clock(left / rate)} left"

    def _weight(self, job: Job) -> float:
        return self.seconds.get(key_of(job), 1.0)

    def _share(self, job: Job) -> float:
        return job.run.last_step() / job.config.recipe.steps

    def _table(self) -> Group:
        return Group(status_table(self.grid, self.seen), self.bar)


def result(job: Job, summary: Summary, message: str) -> str:
    """`plain-20 seed 0 finished, training error 1.32 %, 9 s`."""
    network = f"{job.config.model['name']}-{job.config.depth}"
    kind = "residual" if job.config.residual else "plain"
    text = f"{network} {kind} seed {job.config.seed} {summary.status}"
    if message:
        return f"{text}: {message}"
    if score := summary.last.get("train_clean"):
        text += f", training error {100 * score.error:.2f} %"
    return f"{text}, {clock(summary.seconds)}  {job.run.directory}"
