"""The stored configurations of many runs, read without parsing and checking each."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import yaml


def parsed(text: str, check: Callable[[Any], object] = bool) -> Any:
    """A configuration's text; what its sections hold is shared with others, and never changed.

    `check`, a function of a module, raises for what it refuses, whatever the seed.

    Most runs of a store differ from another one in the seed alone, and to parse and check takes
    longer than all else that a report does with a run.
    """
    seed = re.search(r"^seed: (\d+)$", text, re.MULTILINE)
    if seed is None:
        return _parsed(text, check)
    content = _parsed(text[: seed.start(1)] + "0" + text[seed.end(1) :], check)
    return content | {"seed": int(seed[1])} if isinstance(content, dict) else content


@lru_cache(maxsize=256)
def _parsed(text: str, check: Callable[[Any], object]) -> Any:
    content = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    check(content)
    return content
