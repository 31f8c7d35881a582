"""A report in three steps: select the runs, analyse them, write down what was found."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from resx.plotting import Drawn, draw
from resx.report.aggregates import write_aggregates
from resx.report.collect import Collected
from resx.report.convergence import convergence_figure, numeric_steps
from resx.report.curves import curves_figure, numeric_curves, seeds_of
from resx.report.figures import depth_figure, gap_figure, rows_figure
from resx.report.findings import Report, analyse, last_step
from resx.report.history import added_seeds, note
from resx.report.markdown import markdown
from resx.report.page import page
from resx.report.selection import Selection, select
from resx.report.tables import numeric_table
from resx.store.spreadsheet import csv_text
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
    (directory / PAGE).write_text(page(report, figures, directory / PAGE))
    # NaN is no JSON: what does not exist is null in a verdict.
    verdicts = [verdict.to_dict() for verdict in report.verdicts]
    (directory / "verdicts.json").write_text(json.dumps(verdicts, indent=1, allow_nan=False) + "\n")
    nearness = [reproduction.to_dict() for reproduction in report.reproductions]
    (directory / "reproductions.json").write_text(json.dumps(nearness, indent=1) + "\n")
    for name, table in numeric_tables(report).items():
        (directory / f"{name}.csv").write_text(csv_text(table, index=False))
    runs = selected.runs.drop(columns="config")
    (directory / "runs.csv").write_text(csv_text(runs, index_label="directory"))
    write_aggregates(selected.runs, selected.curves, selected.rows, aggregates)


def numeric_tables(report: Report) -> dict[str, pd.DataFrame]:
    """Tables and figures as numbers, by the name of their file."""
    selected = report.selected
    runs, rows = selected.runs, selected.rows
    found = {m.column: numeric_table(runs, rows, m) for m in report.tables.gaps}
    found["curves"] = numeric_curves(selected.judged, selected.curves, selected.judged_rows)
    found["steps"] = numeric_steps(selected.judged, report.reached, selected.judged_rows)
    return found


def draw_figures(report: Report, directory: Path) -> list[Drawn]:
    """Of depth alone there are figures against depth; of variants, one with a line for each."""
    selected, rows = report.selected, report.selected.judged_rows
    runs, curves, reference = selected.judged, selected.curves, report.same_protocol_as
    seeds = seeds_of(runs, rows)
    makers: dict[str, tuple[str, str, Callable[[bool], Figure]]] = {
        "curves": (
            "Error against step",
            f"Mean of {seeds}, shaded from the lowest to the highest of them (nothing of one seed)."
            " Training error: bold the clean pass, on which verdicts rest, thin the running mean"
            " over augmented batches. Grey, where the protocol is the paper's: its own curves.",
            lambda narrow: curves_figure(runs, curves, rows, reference, narrow),
        )
    }
    if rows != ["depth"]:
        caption = f"Large marks: mean of {seeds}; dots: single runs. Finished runs only."
        makers["rows"] = "Final error", caption, lambda narrow: rows_figure(runs, rows, narrow)
    elif runs["depth"].nunique() > 1:
        makers |= {
            "depth": (
                "Final error against depth",
                f"Lines: mean of {seeds}; dots: single runs. Finished runs only.",
                lambda narrow: depth_figure(runs, narrow),
            ),
            "gap": (
                "Gap against depth",
                f"Dots: gap of the typical run of {seeds}; bars: its 95 % interval.",
                lambda narrow: gap_figure(runs, narrow),
            ),
            "convergence": (
                "Steps to reach a training error",
                f"Median of {seeds} by Kaplan and Meier, running training error; a line ends where"
                " more than half of them never arrive.",
                lambda narrow: convergence_figure(report.reached, last_step(runs), narrow),
            ),
        }
    return [
        Drawn(title, caption, draw(name, directory, partial(make, False), partial(make, True)))
        for name, (title, caption, make) in makers.items()
    ]
