"""A report as Markdown and as one HTML page that needs no network."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from resx.report.findings import Report

Figures = dict[str, Path]  # SVGs by caption


def markdown(report: Report, figures: Figures) -> str:
    selection = report.selected.selection
    lines = [f"# {selection.name}", "", selection.question, "", f"    {selection.command}", ""]
    lines += [f"- {sentence}" for sentence in report.sentences]
    if report.published:
        lines += ["", f"Published columns: {report.published}."]
    for heading, table in report.tables.by_heading().items():
        lines += ["", f"## {heading}", "", markdown_table(table)]
    if report.protocols:
        lines += ["", "Protocols:", "", *(f"- {protocol}" for protocol in report.protocols)]
    if report.sources:
        lines += ["", "Published figures:", "", *(f"- {source}" for source in report.sources)]
    for caption, figure in figures.items():
        lines += ["", f"![{caption}]({figure.with_suffix('.png').name})"]
    return "\n".join(lines) + "\n"


def markdown_table(table: pd.DataFrame) -> str:
    head = [str(column) for column in table.columns]
    rows = [[markdown_cell(value) for value in row] for row in table.itertuples(index=False)]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def markdown_cell(value: object) -> str:
    return str(value).replace("|", "\\|")


def page(report: Report, figures: Figures) -> str:
    """Everything is inside: style, figures as SVG, configurations of all runs."""
    environment = Environment(
        loader=PackageLoader("resx.report"), autoescape=select_autoescape(["html", "j2"])
    )
    runs = report.selected.runs
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # ten times as fast, of a thousand runs
    configurations = {
        str(directory): yaml.dump(config, Dumper=dumper, sort_keys=False)
        for directory, config in runs["config"].items()
    }
    return environment.get_template("page.html.j2").render(
        report=report,
        selection=report.selected.selection,
        tables=report.tables.by_heading(),
        figures={caption: inline(figure) for caption, figure in figures.items()},
        runs=runs.drop(columns="config").to_dict("index"),
        configurations=configurations,
        skipped=report.selected.skipped,
        commits=_distinct(runs["commit"]),
        hardware=_distinct(runs["hardware"]),
        torch=_distinct(runs["torch"]),
        capability=_distinct(runs["capability"]),
        threads=_distinct(runs["threads"]),
        results=_distinct(runs["results"]),
    )


def _distinct(column: "pd.Series[Any]") -> list[str]:
    return sorted(column.dropna().unique())


def inline(figure: Path, name: str = "") -> Markup:
    """An SVG without its XML head; identifiers begin with `name`, so that none stands twice.

    By default that is the figure's own name.
    """
    text = figure.read_text()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    name = name or figure.stem  # matplotlib numbers the parts of every figure alike
    text = re.sub(r'id="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', text)
    return Markup(text)
