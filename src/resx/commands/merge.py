"""`resx merge STORE...`: the runs of other stores, joined into this one."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from resx.errors import RequestError, unknown
from resx.store.merging import Outcome, merge
from resx.store.store import Store

SETTINGS = {"outputs": "outputs", "weights": "true"}
NAMED = {Outcome.DIFFERENT, Outcome.DAMAGED, Outcome.BUSY, Outcome.UNFINISHED}


def main(words: Sequence[str]) -> int:
    """1 if a run is damaged there or being trained here: merge again when that is mended.

    Raises `RequestError` for a store that is not there, or is this one.
    """
    stores, settings = [], dict(SETTINGS)
    for word in words:
        name, is_setting, value = word.partition("=")
        if not is_setting:
            stores.append(Path(word))
        elif name not in SETTINGS:
            raise RequestError(unknown("setting", name, SETTINGS))
        else:
            settings[name] = value.strip("\"'")
    if not stores:
        raise RequestError("name the stores: resx merge STORE... [outputs=FOLDER] [weights=false]")
    if settings["weights"] not in ("true", "false"):
        raise RequestError(f"weights={settings['weights']}: must be true or false")
    target = Store(settings["outputs"])
    seen: Counter[Outcome] = Counter()
    for store in stores:
        if not store.is_dir():
            raise RequestError(f"{store}: no such folder")
        if store.resolve() == target.outputs.resolve():
            raise RequestError(f"{store}: is the store itself")
        for merged in merge(Store(store), target, settings["weights"] == "true"):
            seen[merged.outcome] += 1
            if merged.outcome in NAMED:
                reason = f" ({merged.reason})" if merged.reason else ""
                print(f"{merged.run}: {merged.outcome}{reason}")
    print("; ".join(f"{count} {outcome}" for outcome, count in seen.items()))
    return int(bool(seen.keys() & {Outcome.DAMAGED, Outcome.BUSY}))
