"""The report as Markdown and as one HTML page that needs no network."""

import re
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import yaml
from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup


class Section(NamedTuple):
    """The parts that both forms show; `figures` holds SVG paths by caption."""

    name: str
    question: str
    command: str
    verdicts: list[str]
    tables: dict[str, pd.DataFrame]
    figures: dict[str, Path]
    published: str = ""


def write_markdown(section: Section, sources: list[str], path: Path) -> None:
    lines = [f"# {section.name}", "", section.question, "", f"    {section.command}", ""]
    lines += [f"- {verdict}" for verdict in section.verdicts]
    if section.published:
        lines += ["", f"Published columns: {section.published}."]
    for heading, table in section.tables.items():
        lines += ["", f"## {heading}", "", markdown_table(table)]
    if sources:
        lines += ["", "Published figures:", "", *(f"- {source}" for source in sources)]
    for caption, figure in section.figures.items():
        lines += ["", f"![{caption}]({figure.with_suffix('.png').name})"]
    path.write_text("\n".join(lines) + "\n")


def markdown_table(table: pd.DataFrame) -> str:
    head = [str(column) for column in table.columns]
    rows = [
        [str(value).replace("|", "\\|") for value in row] for row in table.itertuples(index=False)
    ]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def write_page(
    section: Section,
    sources: list[str],
    runs: pd.DataFrame,
    skipped: dict[str, str],
    path: Path,
) -> None:
    """Everything is inside the file: style, figures as SVG, configurations of all runs."""
    environment = Environment(
        loader=PackageLoader("resx.report"), autoescape=select_autoescape(["html", "j2"])
    )
    configurations = {
        str(directory): yaml.safe_dump(config, sort_keys=False)
        for directory, config in runs["config"].items()
    }
    page = environment.get_template("page.html.j2").render(
        section=section,
        sources=sources,
        figures={caption: inline(figure) for caption, figure in section.figures.items()},
        runs=runs.drop(columns="config").to_dict("index"),
        configurations=configurations,
        skipped=skipped,
        commits=sorted(runs["commit"].dropna().unique()),
        hardware=sorted(runs["hardware"].dropna().unique()),
        torch=sorted(runs["torch"].dropna().unique()),
    )
    path.write_text(page)


def inline(figure: Path) -> Markup:
    """An SVG without its XML head; identifiers get the figure's name, so that none stands twice."""
    text = figure.read_text()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    name = figure.stem
    text = re.sub(r'id="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', text)
    return Markup(text)
