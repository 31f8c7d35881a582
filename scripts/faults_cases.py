"""One damage, one command, and what became of both: the fuzz campaign."""

import filecmp
import signal
from pathlib import Path
from random import Random
from typing import NamedTuple

from faults_child import Outcome, resx
from faults_damage import DAMAGES, HAND_MADE, fitting, lose
from faults_store import TINY, FaultyStore, Trained, result

COMMANDS = ("train", "study", "evaluate", "analyze", "report")
WEIGHTS = (4, 3, 3, 2, 1)  # a report draws figures, which takes seconds
GOOD = ("answered", "repaired", "retrained")


class Case(NamedTuple):
    """`damage` as in the table; `text` says all of it, for a person who wants to see it again."""

    number: int
    file: str
    damage: str
    command: str
    became: str
    text: str

    @property
    def is_good(self) -> bool:
        return self.became in GOOD

    @property
    def ending(self) -> str:
        """One of `GOOD`, or `bad`."""
        return self.became if self.is_good else "bad"


def campaign(store: FaultyStore, count: int, seed: int, first: int = 0) -> list[Case]:
    """`count` cases, each on the store as it was; a case depends on its seed and number alone."""
    numbers = range(first, first + count)
    return [one(store, number, Random(f"{seed}-{number}")) for number in numbers]


def one(store: FaultyStore, number: int, random: Random) -> Case:
    run = random.choice(store.runs)
    damages = spoil(store, run, random)
    command = random.choices(COMMANDS, WEIGHTS)[0]
    arguments = request(store, run, command, random)
    outcome = resx(*arguments, place=store.place)
    became = verdict(store, run, damages, arguments, outcome)
    store.restore(run.directory, *(path for path, _ in damages))
    if became == "good run touched":
        store.restore(*(other.directory for other in store.runs))
    files, kinds = zip(*((kind_of(path), damage) for path, damage in damages))
    text = f"{damages}\nresx {' '.join(arguments)} (code {outcome.code})"
    text += f"\n{outcome.err or outcome.out}"
    return Case(number, files[0], kinds[0], command, became, text)


def spoil(store: FaultyStore, run: Trained, random: Random) -> list[tuple[Path, str]]:
    """Which paths of the store were damaged, and how; one, or now and then two at once."""
    if random.random() < 0.02:
        lose(store.place / run.directory, random)
        return [(run.directory, "lost")]
    files = sorted(p for p in (store.place / run.directory).rglob("*") if p.is_file())
    top = [p for p in files if p.parent.name == run.directory.name]
    shared = sorted(store.place.glob("outputs/cache/*.pt"))
    shared += store.place.glob("outputs/reports/history.jsonl")
    places = [random.choice(random.choices((top, files, shared), (7, 2, 1))[0])]
    if random.random() < 0.3:
        places.append(random.choice([place for place in top if place not in places]))
    damages = [random.choice(fitting(place)) for place in places]
    for place, damage in zip(places, damages):
        DAMAGES[damage](place, random)
    return [(p.relative_to(store.place), damage) for p, damage in zip(places, damages)]


def request(store: FaultyStore, run: Trained, command: str, random: Random) -> list[str]:
    if command == "train":
        return ["train", *run.request]
    if command == "study":
        return ["study", *study_of(run), "status=true"]
    if command == "evaluate":
        file = run.directory / random.choice(("checkpoint.pt", "checkpoint.previous.pt"))
        what = f"run={run.directory}" if random.random() < 0.7 else f"weights={file}"
        return ["evaluate", what, "splits=[test]"]
    if command == "analyze":
        return ["analyze", "responses", f"runs={run.directory}"]
    return ["report", f"runs={run.directory.parent}/s?-*"]


def study_of(run: Trained) -> list[str]:
    """The pair of plain and residual that the run is one of, as a study."""
    kept = [setting for setting in run.request if not setting.startswith("residual")]
    return ["degradation", *kept] if "residual" in "".join(run.request) else ["degradation", *TINY]


def verdict(
    store: FaultyStore,
    run: Trained,
    damages: list[tuple[Path, str]],
    arguments: list[str],
    outcome: Outcome,
) -> str:
    """`silent`: another result than of the whole store, and nothing said of the damage."""
    if outcome.code in (-signal.SIGKILL, -signal.SIGXCPU):
        return "too long or too large"
    if not outcome.is_proper:
        return "traceback"
    others = store.hash_all(but=run.directory)
    if any(store.hashes[directory] != found for directory, found in others.items()):
        return "good run touched"
    if outcome.code:
        return "answered"
    hand_made = any(damage in HAND_MADE for _, damage in damages)
    if arguments[0] == "train":
        became = mended(outcome)
        return became if hand_made or _same(store, run, became) else "silent"
    return (
        "answered" if hand_made or _is_said(store, run, damages, arguments, outcome) else "silent"
    )


def mended(outcome: Outcome) -> str:
    """What `train` says that it did."""
    if "trained from the start" in outcome.out:
        return "retrained"
    repaired = "repaired from" in outcome.out or "written again" in outcome.out
    return "repaired" if repaired or "resumed after" in outcome.out else "answered"


def _same(store: FaultyStore, run: Trained, became: str) -> bool:
    """Whether the run is, after training, as it was."""
    parts = slice(3) if became == "retrained" else slice(0, 3, 2)  # weights may be damaged still
    return result(store.place / run.directory)[parts] == store.results[run.directory][parts]


def _is_said(
    store: FaultyStore,
    run: Trained,
    damages: list[tuple[Path, str]],
    arguments: list[str],
    outcome: Outcome,
) -> bool:
    """Whether a command that only reads gave the right numbers, or named the damage."""
    if arguments[0] == "evaluate":
        other = "takes its place" in outcome.out or "previous" in " ".join(arguments)
        error = 100 * store.results[run.directory][2]["test"]["error"]
        return other or f"{error:10.2f} %" in outcome.out
    counted = [
        path
        for path, _ in damages
        if path.parent == run.directory and path.name in ("metrics.jsonl", "summary.json")
    ]
    if arguments[0] in ("study", "report") and any(_changed(store, path) for path in counted):
        return any(word in outcome.out for word in ("damaged", "missing", "skipped"))
    return True


def _changed(store: FaultyStore, path: Path) -> bool:
    """Whether the damage made a difference: a file that was cut at its end is whole."""
    place, master = store.place / path, store.master / path
    return not place.is_file() or not filecmp.cmp(place, master, shallow=False)


def kind_of(path: Path) -> str:
    """The file as the table calls it."""
    if "runs" in path.parts and len(path.parts) == 5:
        return "run directory"
    for folder in ("analyses", "snapshots", ".hydra", "cache", "reports"):
        if folder in path.parts[:-1]:
            return f"{folder}/*"
    return "events.*" if path.name.startswith("events") else path.name
