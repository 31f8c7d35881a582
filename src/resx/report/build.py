"""A report in three steps: select the runs, analyse them, write down what was found."""

import json
from dataclasses import replace
from pathlib import Path

from resx.plotting import draw
from resx.report.aggregates import write_aggregates
from resx.report.collect import Collected
from resx.report.convergence import convergence_figure
from resx.report.figures import curves_figure, depth_figure, gap_figure, rows_figure
from resx.report.findings import Report, analyse, last_step
from resx.report.history import added_seeds, note
from resx.report.page import Figures, markdown, page
from resx.report.selection import Selection, select
from resx.report.tables import numeric_table
from resx.store.store import Store
from resx.store.writing import naming

PAGE = "index.html"


def build_report(collected: Collected, selection: Selection, store: Store) -> Report:
    """Everything is written to the store's folder for reports of this name.

    Raises `RequestError` without runs, or if they differ in settings that no row tells apart.
    """
    report = analyse(select(collected, selection))
    # A study that is still running is no report to add seeds to; a run that diverged is a result.
    if report.is_complete:
        report = replace(report, added=added_seeds(report.selected.runs, store.reports))
        note(report.selected.runs, store.reports)
    with naming(store.report(selection.name)):
        write(report, store.report(selection.name), store.aggregates(selection.name))
    return report


def write(report: Report, directory: Path, aggregates: Path) -> None:
    """Figures, Markdown, CSV, JSON and the page; aggregates for TensorBoard."""
    selected = report.selected
    figures = draw_figures(report, directory)
    (directory / "report.md").write_text(markdown(report, figures))
    (directory / PAGE).write_text(page(report, figures))
    # NaN is no JSON: what does not exist is null in a verdict.
    verdicts = [verdict.to_dict() for verdict in report.verdicts]
    (directory / "verdicts.json").write_text(json.dumps(verdicts, indent=1, allow_nan=False) + "\n")
    nearness = [reproduction.to_dict() for reproduction in report.reproductions]
    (directory / "reproductions.json").write_text(json.dumps(nearness, indent=1) + "\n")
    for measure in report.tables.gaps:
        numbers = numeric_table(selected.runs, selected.rows, measure)
        numbers.to_csv(directory / f"{measure.column}.csv", index=False)
    selected.runs.drop(columns="config").to_csv(directory / "runs.csv", index_label="directory")
    write_aggregates(selected.runs, selected.curves, selected.rows, aggregates)


def draw_figures(report: Report, directory: Path) -> Figures:
    """Of depth alone there are figures against depth; of variants, one with a line for each."""
    selected, rows = report.selected, report.selected.judged_rows
    runs, curves, reference = selected.judged, selected.curves, report.same_protocol_as
    makers = {
        "Error against step": ("curves", lambda: curves_figure(runs, curves, rows, reference))
    }
    if rows != ["depth"]:
        makers["Final error"] = ("rows", lambda: rows_figure(runs, rows))
    elif runs["depth"].nunique() > 1:
        makers["Final error against depth"] = ("depth", lambda: depth_figure(runs))
        makers["Gap against depth"] = ("gap", lambda: gap_figure(runs))
        steps = ("convergence", lambda: convergence_figure(report.reached, last_step(runs)))
        makers["Steps to reach a training error"] = steps
    return {caption: draw(name, directory, make) for caption, (name, make) in makers.items()}
