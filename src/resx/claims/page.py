"""All claims as one HTML page that needs no network."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from resx.claims.row import Row, counted, undecided
from resx.report.pictures import picture
from resx.report.run_list import relative_link
from resx.store.writing import replace_text

PAGE = "index.html"


def write_page(rows: Sequence[Row], command: str, made: str, page: Path) -> None:
    """Figures are inside; the rows behind them are linked, relative to the page."""
    loader = ChoiceLoader([PackageLoader("resx.claims"), PackageLoader("resx.report")])
    environment = Environment(loader=loader, autoescape=select_autoescape(["html", "j2"]))
    figures: dict[Path, Markup] = {}  # each once, in the order in which they are shown
    first: dict[Path, Row] = {}
    for row in rows:
        if row.figure is not None and row.figure not in figures:
            figures[row.figure] = picture(row.figure, row.source, f"figure{len(figures)}")
            first[row.figure] = row
    text = environment.get_template("claims.html.j2").render(
        claims=list({row.claim.id: row.claim for row in rows}.values()),
        rows=rows,
        figures=figures,
        first=first,
        anchors={figure: f"f{number}" for number, figure in enumerate(figures)},
        downloads={f: relative_link(f.with_suffix(""), page) for f in figures},
        links={row.rows: relative_link(row.rows, page) for row in rows if row.rows},
        counted=counted(rows),
        decides={row.claim.id: undecided(row.claim, rows) for row in rows},
        command=command,
        made=made,
    )
    replace_text(page, text)
