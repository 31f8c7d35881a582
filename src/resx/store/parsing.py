"""The stored configurations of many runs, read without parsing each."""

import re
from functools import lru_cache
from typing import Any

import yaml


def parsed(text: str) -> Any:
    """A configuration's text; what its sections hold is shared with others, and never changed.

    Most runs of a store differ from another one in the seed alone, and to parse takes longer than
    all else that a report does with a run.
    """
    seed = re.search(r"^seed: (\d+)$", text, re.MULTILINE)
    if seed is None:
        return _parsed(text)
    content = _parsed(text[: seed.start(1)] + "0" + text[seed.end(1) :])
    return content | {"seed": int(seed[1])} if isinstance(content, dict) else content


@lru_cache(maxsize=256)
def _parsed(text: str) -> Any:
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
