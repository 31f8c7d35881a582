"""How the runs of a study share the cores: as was asked, as before, or as a few steps decide."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from heapq import heapreplace
from typing import NamedTuple

import torch

from resx.device import peak_memory, pick_device
from resx.environment import environment
from resx.memory import available_memory
from resx.study.cores import PROCESSES, Way, cores, ways
from resx.study.outlook import Asked
from resx.study.paces import Pace, kind_of
from resx.study.trial import ROUNDS, WINDOW, best, try_out

TINY_IMAGE = 16  # pixels; up to it a network keeps less than one core busy
WORTH = 120.0  # seconds of training, from which on the ways are tried
SHARE = 0.1  # of the training, which a trial may take


class Choice(NamedTuple):
    """`slower`: by what a step takes longer than alone, beside the others; `why` for people."""

    way: Way
    slower: float
    why: str


def chosen(launcher: str | None, way: Way) -> str:
    """The launcher that was typed, or ours."""
    return launcher or (PROCESSES if way.jobs > 1 else "basic")


def known_here(learned: Mapping[str, Pace], device: str) -> dict[str, Pace]:
    """What was learned on a machine like this one, and on such a device."""
    here = environment()
    like = here.hardware, here.capability, pick_device(device).type
    return {kind: pace for kind, pace in learned.items() if pace[2:] == like}


def default_way(asked: Asked, learned: Mapping[str, Pace]) -> Way:
    """As asked for; else as the runs before, which keeps their arithmetic; else by image size."""
    available = cores()
    if asked.jobs is not None:
        return Way(asked.jobs, asked.threads or max(available // asked.jobs, 1))
    if _is_one_by_one(asked):
        return Way(1, asked.threads or available)
    threads = asked.threads or _usual_threads(asked, learned)
    return Way(max(min(available // threads, len(asked.configs)), 1), threads)


def _is_one_by_one(asked: Asked) -> bool:
    """One run has an accelerator for itself unless a person says otherwise."""
    device = pick_device(asked.configs[0].device)
    return asked.launcher == "basic" or device.type != "cpu" or len(asked.configs) == 1


def _usual_threads(asked: Asked, learned: Mapping[str, Pace]) -> int:
    kinds = {kind_of(config) for config in asked.configs}
    before = Counter(pace.threads for kind, pace in learned.items() if kind in kinds)
    if before:
        return min(before.most_common(1)[0][0], cores())
    tiny = all(config.data.image_size <= TINY_IMAGE for config in asked.configs)
    return 1 if tiny else cores()


def tried(
    asked: Asked, learned: Mapping[str, Pace], steps: Sequence[float], seconds: Sequence[float]
) -> Choice | None:
    """The best way by a trial, if one is worth it; `steps` and `seconds` of each run, alone."""
    typed = asked.jobs is not None or asked.threads is not None
    if typed or learned or _is_one_by_one(asked) or cores() == 1 or sum(seconds) < WORTH:
        return None
    by_kind: dict[str, float] = defaultdict(float)
    for config, each in zip(asked.configs, seconds):
        by_kind[kind_of(config)] += each
    heaviest = max(by_kind, key=lambda kind: by_kind[kind])
    number = [kind_of(config) for config in asked.configs].index(heaviest)
    cpu = torch.device("cpu")
    room = available_memory(cpu) // peak_memory(cpu)
    possible = ways(cores(), min(len(seconds), room))
    # A process warms up by a step and makes two at least, at worst as slow as if all took turns.
    least = 3 * steps[number] * sum(way.jobs for way in possible)
    if ROUNDS * max(least, len(possible) * WINDOW) > SHARE * sum(seconds):
        return None
    rates = try_out(asked.configs[number], possible, asked.folders)
    if not rates:
        return None
    way = best(rates)
    others = {other: rates[way] / rate for other, rate in rates.items() if other != way}
    said = [f"{ratio:.2f} times {other}" for other, ratio in sorted(others.items())]
    slower = way.jobs / rates[way] / steps[number]
    return Choice(way, slower, f"measured: {', '.join(said)}" if said else "")


def whole(seconds: Sequence[float], count: int) -> float:
    """Until the last of these runs has ended, if so many work at once."""
    ends = [0.0] * count
    for each in seconds:
        heapreplace(ends, ends[0] + each)
    return max(ends)
