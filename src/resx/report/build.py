"""A report: verdicts, tables and figures of a set of runs, as Markdown, CSV, figures and a page."""

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from resx.errors import RequestError
from resx.reference.published import PROTOCOLS
from resx.report.aggregates import write_aggregates
from resx.report.collect import Collected, of_network, refuse_strangers, varying
from resx.report.convergence import convergence, convergence_figure, steps_table
from resx.report.departures import departures_of
from resx.report.figures import (
    curves_figure,
    depth_figure,
    draw,
    gap_figure,
    rows_figure,
)
from resx.report.page import Section, write_markdown, write_page
from resx.report.ranking import ranking
from resx.report.tables import (
    DEFAULT,
    MEASURES,
    measure_table,
    networks_table,
    notes_table,
    short,
    sources,
)
from resx.report.verdicts import verdicts


class Question(NamedTuple):
    """What a report is about: a study's, or a plain selection of runs.

    `rows` are the settings that the table's rows tell apart; `protocol` the flat settings of the
    published experiment; `planned` holds a row's settings and `residual` for every run that the
    grid asks for.
    """

    name: str
    question: str
    command: str
    rows: list[str]
    reference: str | None = None
    protocol: dict[str, Any] | None = None
    planned: tuple[tuple[tuple[Any, ...], bool], ...] = ()
    best_over: str | None = None


class Report(NamedTuple):
    verdicts: list[str]
    tables: dict[str, pd.DataFrame]
    directory: Path


def build_report(collected: Collected, about: Question, directory: Path) -> Report:
    """Write everything into `directory`.

    Raises `RequestError` if the runs differ in settings that no row tells apart.
    """
    runs = collected.runs
    if runs.empty:
        skipped = "; ".join(f"{d}: {reason}" for d, reason in collected.skipped.items())
        raise RequestError(f"{about.name}: no run can be read ({skipped})")
    rows = about.rows or default_rows(runs)
    refuse_strangers(runs, rows, in_a_study=bool(about.rows))
    told = departures_of(runs, about.protocol)
    runs, about = with_defaults(runs, about, rows)
    directory.mkdir(parents=True, exist_ok=True)
    judged = best_of(runs, rows, about.best_over) if about.best_over else runs
    told_apart = [r for r in rows if r not in ("depth", about.best_over)]
    said = verdicts_by(judged, told_apart)
    if told_apart and "model.name" not in told_apart:
        said = [sentence for sentence in [ranking(judged, told_apart)] if sentence] + said
    said += state_of(runs, len(about.planned), collected.skipped)
    tables = {
        heading: measure_table(runs, rows, measure, about.reference, about.planned)
        for measure, (heading, _, _) in MEASURES.items()
    }
    tables["Networks and departures"] = networks_table(runs, rows, told)
    if about.reference or not about.planned:
        tables["The table of the notes: ImageNet, top-1 error of ten crops (%)"] = notes_table(
            runs, told if about.reference in ("he2015_table2", "he2015_table3") else {}
        )
    same_protocol = about.reference if set(told.values()) == {"none"} else None
    shown = [r for r in rows if r != about.best_over]
    figures = draw_figures(judged, collected.curves, shown, same_protocol, directory)
    tables["Steps to reach a training error"] = steps_table(judged, collected.curves, shown)
    aggregates = directory.parent.parent / "aggregates" / about.name
    write_aggregates(runs, collected.curves, rows, aggregates)
    published = PROTOCOLS[about.reference].title if about.reference else ""
    section = Section(about.name, about.question, about.command, said, tables, figures, published)
    quoted = sources(about.reference, runs)
    write_markdown(section, quoted, directory / "report.md")
    write_page(section, quoted, runs, collected.skipped, directory / "index.html")
    for measure, (heading, _, _) in MEASURES.items():
        tables[heading].to_csv(directory / f"{measure}.csv", index=False)
    runs.drop(columns="config").to_csv(directory / "runs.csv", index_label="directory")
    return Report(said, tables, directory)


def default_rows(runs: pd.DataFrame) -> list[str]:
    """For a selection without a study: depth, and which network, but not how it was trained."""
    families = [group for _, group in runs.groupby("model.name")]
    within = dict.fromkeys(key for group in families for key in varying(group))
    found = ["model.name"] * (len(families) > 1) + [key for key in within if of_network(key)]
    return ["depth", *(k for k in found if k != "depth")]


def with_defaults(
    runs: pd.DataFrame, about: Question, rows: list[str]
) -> tuple[pd.DataFrame, Question]:
    """Settings of the rows that are left to the network have a name, so that they can be a key."""

    def named(value: Any) -> Any:
        if value is None or value != value:  # NaN in a column that has numbers too
            return DEFAULT
        return int(value) if isinstance(value, float) and value.is_integer() else value

    planned = tuple((tuple(named(v) for v in key), side) for key, side in about.planned)
    named_rows = {r: runs[r].map(named) for r in rows}
    return runs.assign(**named_rows), about._replace(planned=planned)


def verdicts_by(runs: pd.DataFrame, settings: list[str]) -> list[str]:
    """The verdicts on depth, apart for every combination of the other settings of the rows."""
    if not settings:
        return verdicts(runs)
    said = []
    for key, group in runs.groupby(settings, dropna=False, sort=True):
        values = key if isinstance(key, tuple) else (key,)
        told = ", ".join(f"{short(s)} {v}" for s, v in zip(settings, values))
        said += [f"With {told}: {sentence}" for sentence in verdicts(group)]
    return said


def best_of(runs: pd.DataFrame, rows: list[str], setting: str) -> pd.DataFrame:
    """For each network only the runs at its best value of `setting`, by mean training error.

    A value at which a run diverged is not the best.
    """
    others = [r for r in rows if r != setting] + ["residual"]
    kept = []
    for _, group in runs.groupby(others, dropna=False):
        done = group[group["status"] == "finished"]
        means = done.groupby(setting)["train_clean_error"].mean()
        diverged = group[group["status"] == "diverged"][setting].unique()
        means = means.drop(diverged, errors="ignore")
        best = means.idxmin() if means.notna().any() else group[setting].iloc[0]
        kept.append(group[group[setting] == best])  # all diverged: that is its result
    return pd.concat(kept) if kept else runs


def state_of(runs: pd.DataFrame, planned: int, skipped: dict[str, str]) -> list[str]:
    """What a reader must know of runs that are not finished."""
    counts = runs["status"].value_counts().to_dict()
    told = [f"{count} {status}" for status, count in sorted(counts.items())]
    if planned > len(runs):
        told.append(f"{planned - len(runs)} missing")
    if skipped:
        told.append(f"{len(skipped)} unreadable and skipped")
    return [] if told == [f"{len(runs)} finished"] else [f"Runs: {', '.join(told)}."]


def draw_figures(
    runs: pd.DataFrame,
    curves: pd.DataFrame,
    rows: list[str],
    reference: str | None,
    directory: Path,
) -> dict[str, Path]:
    """SVGs by caption."""
    figures = {
        "Error against step": draw(
            "curves", directory, lambda: curves_figure(runs, curves, rows, reference)
        )
    }
    if runs["depth"].nunique() > 1 and rows == ["depth"]:
        figures["Final error against depth"] = draw("depth", directory, lambda: depth_figure(runs))
        figures["Gap against depth"] = draw("gap", directory, lambda: gap_figure(runs))
        table = convergence(runs, curves)
        figures["Steps to reach a training error"] = draw(
            "convergence", directory, lambda: convergence_figure(table)
        )
    elif rows != ["depth"]:
        figures["Final error"] = draw("rows", directory, lambda: rows_figure(runs, rows))
    return figures
