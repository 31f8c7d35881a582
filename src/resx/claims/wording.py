"""What pages of claims say in English and in Chinese."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def wording() -> Mapping[str, Any]:
    """A page's own words by language, and for those of rows what they are in it."""
    found: Mapping[str, Any] = yaml.safe_load(
        files("resx.claims").joinpath("wording.yaml").read_text("utf-8")
    )
    return found


def said(text: str, language: str) -> str:
    """What a row says, in another language: verdicts, units and sources; names stay."""
    words = wording()[language]["words"]
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, words[word])
    return text
