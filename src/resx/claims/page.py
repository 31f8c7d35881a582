"""All claims as HTML pages that need no network, in English and in Chinese."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from resx.claims.row import Row, counted, undecided
from resx.claims.wording import said, wording
from resx.reference.claims import in_chinese
from resx.report.pictures import picture
from resx.report.run_list import relative_link
from resx.store.writing import replace_text

PAGE = "index.html"
PAGES = {"en": PAGE, "zh": "index.zh-CN.html"}  # by language, beside each other


def write_pages(rows: Sequence[Row], command: str, made: str, folder: Path) -> None:
    """Figures are inside; the rows behind them are linked, relative to the page."""
    figures: dict[Path, Markup] = {}  # each once, in the order in which they are shown
    first: dict[Path, Row] = {}
    for row in rows:
        if row.figure is not None and row.figure not in figures:
            figures[row.figure] = picture(row.figure, row.source, f"figure{len(figures)}")
            first[row.figure] = row
    page = folder / PAGE  # links are the same from either
    common = {
        "claims": list({row.claim.id: row.claim for row in rows}.values()),
        "rows": rows,
        "figures": figures,
        "first": first,
        "anchors": {figure: f"f{number}" for number, figure in enumerate(figures)},
        "downloads": {f: relative_link(f.with_suffix(""), page) for f in figures},
        "links": {row.rows: relative_link(row.rows, page) for row in rows if row.rows},
        "open": {row.claim.id: undecided(row.claim, rows) for row in rows},
        "command": command,
        "made": made,
    }
    loader = ChoiceLoader([PackageLoader("resx.claims"), PackageLoader("resx.report")])
    environment = Environment(loader=loader, autoescape=select_autoescape(["html", "j2"]))
    for language, name in PAGES.items():
        environment.filters["say"] = lambda text, language=language: said(text, language)
        (other,) = (page for page in PAGES.values() if page != name)
        text = environment.get_template("claims.html.j2").render(
            **common,
            wording=wording()[language],
            language=language,
            other=other,
            counted=said(counted(rows), language),
            chinese=in_chinese() if language == "zh" else {},
        )
        replace_text(folder / name, text)
