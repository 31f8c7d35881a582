"""What the selected runs say: verdicts, tables, departures from the paper; no file is touched."""

from dataclasses import dataclass

import pandas as pd

from resx.inference import unseen
from resx.reference.papers import PaperTable, chosen
from resx.report.convergence import convergence, steps_table
from resx.report.departures import (
    Comparison,
    compare_runs,
    departures_table,
    describe_departures,
    describe_protocols,
)
from resx.report.facts import facts_of
from resx.report.judging import judge
from resx.report.literature import is_papers_task, notes_table, papers_table, sources
from resx.report.measures import MEASURES, has_ended
from resx.report.reproduction import Reproduction, reproductions
from resx.report.selection import SelectedRuns, Selection
from resx.report.tables import Tables, measure_table, networks_table
from resx.report.verdict import Verdict


@dataclass(frozen=True)
class Report:
    """What the runs of a report say.

    `compared` has each run beside its paper's protocol, by directory; `reached` the steps to an
    error, as `convergence` gives them; `unfinished` is empty if all runs are finished, `machines`
    if all were made alike, `added` if no seeds were added after an earlier report; `beside` are
    the papers' tables whose figures stand beside ours.
    """

    selected: SelectedRuns
    verdicts: list[Verdict]
    unfinished: str
    machines: str
    tables: Tables
    compared: dict[str, Comparison]
    reached: pd.DataFrame
    reproductions: list[Reproduction]
    beside: tuple[PaperTable, ...]
    sources: list[str]
    added: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether no run is missing and all have ended; to diverge is an end, too."""
        runs, planned = self.selected.runs, self.selected.selection.planned
        return (
            bool(has_ended(runs).all()) and len(runs) >= len(planned) and not self.selected.skipped
        )

    @property
    def facts(self) -> dict[str, str]:
        """Data, training, machine and runs, to be read before any number."""
        return facts_of(self.selected.runs, self.selected.rows)

    @property
    def sentences(self) -> list[str]:
        """The verdicts, and what a reader must know of the runs behind them."""
        told = (*self.selected.notes, describe_departures(self.compared), self.added)
        notes = (*told, self.unfinished, self.machines)
        nearness = (reproduction.text for reproduction in self.reproductions)
        verdicts = (verdict.text for verdict in self.verdicts)
        return [*verdicts, *nearness, *(note for note in notes if note)]

    @property
    def unseen(self) -> str:
        """How many runs of a kind that no seed has shown there may still be."""
        ended = self.selected.runs[has_ended(self.selected.runs)]
        if ended.empty:
            return "No run has ended yet."
        networks = ended.groupby([*self.selected.rows, "residual"], dropna=False)
        least = int(networks.size().min())
        return (
            f"With {least} seed{'s' * (least > 1)} a kind of run that none of them shows may still"
            f" be up to {unseen(least):.0%} of all runs."
        )

    @property
    def published(self) -> str:
        """The papers' tables in the columns beside ours, empty if there are none."""
        return "; ".join(table.title for table in self.beside)

    @property
    def protocols(self) -> list[str]:
        """What our runs are held against, and what of it cannot be matched."""
        return describe_protocols(self.compared)

    @property
    def same_protocol_as(self) -> str | None:
        """The protocol if there is one and every run keeps to it."""
        names = {c.protocol.name for c in self.compared.values() if c.protocol and c.is_faithful}
        faithful = all(c.is_faithful for c in self.compared.values())
        return names.pop() if faithful and len(names) == 1 else None


def analyse(selected: SelectedRuns) -> Report:
    runs, rows, selection = selected.runs, selected.rows, selected.selection
    compared = compare_runs(runs, selection.reference)
    papers = papers_of(selection, runs, compared)
    beside = tuple(t for t in papers if t.has_ours and is_papers_task(runs, t))
    apart = tuple(table for table in papers if table not in beside)
    reached = convergence(selected.judged, selected.curves)
    planned = selection.planned
    on_imagenet = bool((runs["data.name"] == "imagenet").all())
    tables = Tables(
        gaps={m: measure_table(runs, rows, m, beside, planned) for m in MEASURES},
        networks=networks_table(runs, rows, compared),
        departures=departures_table(runs, compared),
        papers=papers_table(apart),
        notes=notes_table(runs, compared) if on_imagenet else None,
        steps=steps_table(selected.judged, reached, selected.judged_rows),
    )
    return Report(
        selected=selected,
        verdicts=judge(selected, reached),
        unfinished=describe_unfinished(runs, len(planned), len(selected.skipped)),
        machines=describe_machines(runs),
        tables=tables,
        compared=compared,
        reached=reached,
        reproductions=reproductions(runs, compared),
        beside=beside,
        sources=sources(papers),
    )


def last_step(runs: pd.DataFrame) -> float:
    return float(runs["recipe.steps"].max())


def papers_of(
    selection: Selection, runs: pd.DataFrame, compared: dict[str, Comparison]
) -> tuple[PaperTable, ...]:
    """The tables that a study names; for other runs those of their protocols, on its own task."""
    if selection.planned:
        return chosen(selection.study.papers)
    names = {name for c in compared.values() if c.protocol for name in c.protocol.tables}
    tables = chosen({name: [] for name in sorted(names)})
    return tuple(table for table in tables if is_papers_task(runs, table))


def describe_unfinished(runs: pd.DataFrame, n_planned: int, n_skipped: int) -> str:
    """`Runs: 1 diverged, 5 finished, 2 missing.`; empty if all are finished."""
    counts = [
        f"{count} {status}" for status, count in sorted(runs["status"].value_counts().items())
    ]
    if (missing := n_planned - len(runs) - n_skipped) > 0:
        counts.append(f"{missing} missing")
    if n_skipped:
        counts.append(f"{n_skipped} unreadable and skipped")
    return "" if counts == [f"{len(runs)} finished"] else f"Runs: {', '.join(counts)}."


def describe_machines(runs: pd.DataFrame) -> str:
    """In what runs that are pooled were made differently; empty if in nothing.

    Equal seeds give equal bits only on one instruction set, with one version of torch and one
    number of threads: across them only the distribution over seeds is the same.
    """
    names = {"device_type": "device", "capability": "instruction set", "torch": "torch"}
    names |= {"threads": "threads", "results": "results number"}
    differing = []
    for column, name in names.items():
        values = sorted(map(str, runs[column].dropna().unique()))
        if len(values) > 1:
            differing.append(f"{name} {', '.join(values)}")
    return f"Pooled runs were made differently: {'; '.join(differing)}." if differing else ""
