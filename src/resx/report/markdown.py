"""A report as Markdown; text that comes from people's files reads as it stands there."""

import re

import pandas as pd

from resx.plotting import Drawn
from resx.report.findings import Report

# What CommonMark and GitHub's tables and formulas would take for their own signs. An underscore
# within a word is none, so that `train_clean` stays readable in the source.
SIGNS = re.compile(r"[\\`*<|~$]|(?<!\w)_|_(?!\w)|(?<=\])[(\[:]|&(?=#?\w+;)|!(?=\[)")


def markdown(report: Report, figures: list[Drawn]) -> str:
    selection = report.selected.selection
    command = selection.command.replace("\n", "\n    ")
    lines = [f"# {escaped(selection.name)}", "", paragraph(selection.question), ""]
    lines += [f"    {command}", ""]
    lines += [f"- {paragraph(fact)}" for fact in report.facts.values()] + [""]
    lines += [f"- {paragraph(sentence)}" for sentence in report.sentences]
    if report.published:
        lines += ["", f"Published columns: {escaped(report.published)}."]
    for heading, table in report.tables.by_heading().items():
        lines += ["", f"## {escaped(heading)}", "", markdown_table(table)]
    for heading, sources in (
        ("Protocols", report.protocols),
        ("Published figures", report.sources),
    ):
        if sources:
            lines += ["", f"{heading}:", "", *(f"- {paragraph(source)}" for source in sources)]
    for figure in figures:
        lines += ["", f"![{escaped(figure.title)}]({figure.svg.with_suffix('.png').name})"]
        lines += ["", paragraph(figure.caption)]
    return "\n".join(lines) + "\n"


def markdown_table(table: pd.DataFrame) -> str:
    head = [markdown_cell(column) for column in table.columns]
    rows = [[markdown_cell(value) for value in row] for row in table.itertuples(index=False)]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def markdown_cell(value: object) -> str:
    return escaped(str(value))


def paragraph(text: str) -> str:
    """Of a text that stands at the beginning of a line or of a list's item."""
    opening = re.sub(r"^([#>+=\[-])", r"\\\1", escaped(text))
    return re.sub(r"^(\d+)([.)]\s)", r"\1\\\2", opening)  # `1. x` would begin a list


def escaped(text: str) -> str:
    r"""One line in which Markdown finds no signs of its own: `a|b` -> `a\|b`."""
    return SIGNS.sub(lambda sign: f"\\{sign[0]}", " ".join(text.split()))
