"""All claims as text: for a terminal, and as Markdown for docs/claims.md."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from resx.claims.row import Row, counted, undecided
from resx.report.markdown import escaped


def terminal_table(rows: Sequence[Row]) -> str:
    """Two lines a row: claim, verdict, effect with its interval, source; and the figure."""
    names = max(len(row.claim.id) for row in rows)
    verdicts = max(len(row.verdict) for row in rows)
    lines = []
    for row in rows:
        head = f"{row.claim.id:{names}}  {row.verdict:{verdicts}}  {row.source}"
        lines.append(f"{head}: {row.evidence}" if row.evidence else head)
        below = row.figure.with_suffix(".png") if row.figure else row.text
        lines.append(f"{'':{names}}  {below}")
    return "\n".join(lines)


def write_markdown(rows: Sequence[Row], command: str, made: str, file: Path) -> None:
    """The table, then a paragraph and the figure of every measurement.

    Figures are copied into a folder named as the file beside it, so that the page can be kept.
    Raises OSError where nothing can be written.
    """
    folder = file.with_suffix("")
    lines = ["# The claims of the notes, measured", "", f"Written by `{command}`: {made}.", ""]
    lines += [f"{counted(rows)}.", "", "| claim | verdict | effect [95 % interval] | measured by |"]
    lines += ["| --- | --- | --- | --- |"]
    for row in rows:
        cells = map(escaped, (row.verdict, row.evidence, row.source))
        lines.append(f"| [{row.claim.id}](#{row.claim.id}) | {' | '.join(cells)} |")
    copied: dict[Path, str] = {}
    shown = ""
    for row in rows:
        if row.claim.id != shown:
            lines += [
                "",
                f"## {row.claim.id}",
                "",
                f"{row.claim.english} (notes: {row.claim.notes})",
            ]
            lines += ["", *([f"> {row.claim.chinese}", ""] if row.claim.chinese else [])]
            lines += [f"Reported, and caveats: {row.claim.caveats}"]
            if decides := undecided(row.claim, rows):
                lines += ["", f"What would decide it: {decides}"]
            shown = row.claim.id
        lines += ["", f"**{row.verdict}** by {row.source} (`{row.command}`)."]
        lines += [escaped(row.text)] if row.text else []
        if row.figure is not None and row.figure not in copied:
            name = f"{_whose(row)}-{row.figure.stem}.png"
            copied[row.figure] = _copied(row.figure.with_suffix(".png"), folder, name)
            lines += ["", f"![{row.source}]({copied[row.figure]})"]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _whose(row: Row) -> str:
    """Of which study or analysis the row's figure is."""
    assert row.figure is not None
    words = row.source.replace(",", "").split()
    return "-".join(words) if row.measurement.analysis else row.figure.parent.name


def _copied(figure: Path, folder: Path, name: str) -> str:
    """Copies a figure; returns its address as seen from the page."""
    folder.mkdir(exist_ok=True)
    safe = name.replace(os.sep, "_")
    shutil.copyfile(figure, folder / safe)
    return f"{folder.name}/{safe}"
