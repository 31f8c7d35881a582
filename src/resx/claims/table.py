"""All claims as text: for a terminal, and as Markdown for docs/claims.md."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from resx.claims.row import Row, counted, undecided
from resx.claims.wording import said, wording
from resx.reference.claims import Claim, in_chinese
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


def write_markdown(rows: Sequence[Row], command: str, made: str, file: Path) -> list[Path]:
    """The table, then a paragraph and the figure of every measurement; returns the pages.

    In English, and in Chinese beside it (`claims.md`, `claims.zh-CN.md`). Figures are copied into a
    folder named as the file, so that the pages can be kept. Raises OSError where nothing can be
    written.
    """
    figures = _copied(rows, file.with_suffix(""))
    pages = {"en": file, "zh": file.with_name(f"{file.stem}.zh-CN{file.suffix}")}
    for language, page in pages.items():
        words = wording()[language]
        (other,) = (each.name for each in pages.values() if each != page)
        lines = [f"# {words['title']}", "", f"[{words['other']}]({other})", ""]
        lines += [words["written"].format(command=command, made=made), ""]
        total = words["counted"].format(said(counted(rows), language))
        lines += [f"{total} {words['effects']}", ""]
        lines += _table(rows, language)
        for claim in {row.claim.id: row.claim for row in rows}.values():
            lines += _head(claim, rows, language)
            for row in rows:
                if row.claim.id == claim.id:
                    lines += _measured(row, figures, language)
        page.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return list(pages.values())


def _table(rows: Sequence[Row], language: str) -> list[str]:
    claim, verdict, _, source, _ = wording()[language]["columns"]
    lines = [f"| {claim} | {verdict} | {wording()[language]['interval']} | {source} |"]
    lines += ["| --- | --- | --- | --- |"]
    for row in rows:
        cells = (escaped(said(text, language)) for text in (row.verdict, row.evidence, row.source))
        lines.append(f"| [{row.claim.id}](#{row.claim.id}) | {' | '.join(cells)} |")
    return lines


def _head(claim: Claim, rows: Sequence[Row], language: str) -> list[str]:
    """The claim in both languages, what is known of it, and what would decide it."""
    words = wording()[language]
    plain, caveats, decides = claim.english, claim.caveats, undecided(claim, rows)
    if language == "zh":
        told = in_chinese()[claim.id]
        plain, caveats = told["plain"], told["caveats"]
        decides = decides and told["decides"]
    lines = ["", f"## {claim.id}", "", f"{plain} ({words['notes']} {said(claim.notes, language)})"]
    lines += ["", *([f"> {claim.chinese}", ""] if claim.chinese else [])]
    lines += [f"{words['caveats']} {caveats}"]
    return lines + (["", f"{words['decides']} {decides}"] if decides else [])


def _measured(row: Row, figures: Mapping[Path, tuple[Row, str]], language: str) -> list[str]:
    source = said(row.source, language)
    sentence = wording()[language]["row"]
    verdict = said(row.verdict, language)
    lines = ["", sentence.format(verdict=verdict, source=source, command=row.command)]
    lines += [escaped(row.text)] if row.text else []
    if row.figure is not None and figures[row.figure][0] is row:  # each once
        lines += ["", f"![{source}]({figures[row.figure][1]})"]
    return lines


def _copied(rows: Sequence[Row], folder: Path) -> dict[Path, tuple[Row, str]]:
    """Copies every figure; the first row that has it, and its address as seen from the page."""
    copied: dict[Path, tuple[Row, str]] = {}
    for row in rows:
        if row.figure is not None and row.figure not in copied:
            folder.mkdir(exist_ok=True)
            name = f"{_whose(row)}-{row.figure.stem}.png".replace(os.sep, "_")
            shutil.copyfile(row.figure.with_suffix(".png"), folder / name)
            copied[row.figure] = row, f"{folder.name}/{name}"
    return copied


def _whose(row: Row) -> str:
    """Of which study or analysis the row's figure is."""
    assert row.figure is not None
    words = row.source.replace(",", "").split()
    return "-".join(words) if row.measurement.analysis else row.figure.parent.name
