"""Figures within a page: SVGs for a desk and for a phone, each with its own identifiers."""

import re
from pathlib import Path

from markupsafe import Markup, escape

from resx.plotting import narrow_path


def picture(figure: Path, title: str, name: str = "") -> Markup:
    """The figure, and its form for a phone if it has one: the page's style shows one of the two."""
    name = name or figure.stem
    if not (narrow := narrow_path(figure)).is_file():
        return _box(figure, title, name, "")
    return _box(figure, title, name, " wide") + _box(narrow, title, f"{name}-narrow", " narrow")


def _box(figure: Path, title: str, name: str, kind: str) -> Markup:
    return Markup('<div class="picture{}" tabindex="0">{}</div>').format(
        kind, inline(figure, title, name)
    )


def inline(figure: Path, title: str, name: str) -> Markup:
    """An SVG without its XML head; identifiers begin with `name`, so that none stands twice."""
    text = figure.read_text()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    # matplotlib numbers the parts of every figure alike.
    text = re.sub(r' id="([^"]+)"', rf' id="{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', text)
    return Markup(text.replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1))
