"""In which settings runs depart from what the paper of their protocol did."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import pandas as pd

from resx.config.schema import SMALL_IMAGE, TrainConfig
from resx.config.settings import flatten, flattened
from resx.reference.protocols import Protocol, protocol_for, protocols
from resx.report.collect import settings_of_later_versions
from resx.report.effect import in_force
from resx.report.labels import network_kind, short

NAMES_SHOWN = 4  # of networks that depart, before they are only counted
Settings = dict[str, Any]


class Departure(NamedTuple):
    """A setting, its value here and in the paper, as they are written in a table."""

    setting: str
    ours: str
    published: str


@dataclass(frozen=True)
class Comparison:
    """A run beside the protocol of its paper; None where no paper is about such a network."""

    protocol: Protocol | None
    departures: tuple[Departure, ...] = ()

    @property
    def is_faithful(self) -> bool:
        """Whether the run departs in nothing but what the protocol says cannot be matched."""
        return self.protocol is not None and not self.departures


def compare_runs(runs: pd.DataFrame, reference: str | None) -> dict[str, Comparison]:
    """Each run by its directory: beside `reference`, or else the protocol of its family and images.

    A study may name one because it asks the paper's question on another task.
    """
    found = {}
    for directory, run in runs.iterrows():
        settings = settings_of(run)
        if reference is not None:
            protocol: Protocol | None = protocols()[reference]
        else:
            size = settings["data.image_size"]
            protocol = protocol_for(settings["model.name"], size, streamed_from=SMALL_IMAGE)
        departures = tuple(depart(settings, protocol)) if protocol else ()
        if protocol and cut_warmup(settings, run["warmup_end"]):
            limit = f"cut at its limit, step {settings['recipe.warmup_limit']:,}"
            departures += (Departure("warm-up", limit, "until the training error allows it"),)
        found[str(directory)] = Comparison(protocol, departures)
    return found


def cut_warmup(settings: Settings, end: float | None) -> bool:
    """Whether a warm-up that waits for the training error was ended by its limit."""
    waits = settings["recipe.warmup"] == "error"
    limit = settings["recipe.warmup_limit"]
    return waits and limit is not None and end is not None and end >= limit


@cache
def defaults() -> Settings:
    """The settings that a configuration has, with the values of those that were left out."""
    return flattened(TrainConfig())


def settings_of(run: "pd.Series[Any]") -> Settings:
    """All settings of a run, flat, and the number of its training images.

    Not the table's columns, in which a missing number is NaN and a default has a name.
    """
    stored = settings_of_later_versions(run["config"]) | flatten(run["config"])
    return defaults() | stored | {"images": int(run["images"])}


def depart(settings: Settings, protocol: Protocol) -> Iterator[Departure]:
    """Where a run's flat settings have a value that the protocol does not allow.

    What has no effect beside the other settings is no departure, as milestones under a cosine
    schedule: the schedule is one. Nor is an option that a run's family or version does not have.
    """
    ours = in_force(settings)
    same_network = {key: settings[key] for key in ("depth", "residual", "block")}
    papers = {key: allowed[0] for key, allowed in protocol.settings.items()}
    papers = in_force(same_network | papers)
    family = settings["model.name"]
    if family not in protocol.families:
        yield Departure("model", family, " or ".join(protocol.families))
    for key, allowed in protocol.settings.items():
        if key not in ours or key not in papers:
            continue
        if papers[key] not in allowed:  # the depth decides
            allowed = (papers[key],)
        if ours[key] not in allowed:
            # What is left to the network is what the paper's own value stands for.
            stated = [value for value in allowed if value is not None] or [None]
            yield Departure(short(key), written(ours[key]), " or ".join(map(written, stated)))


def written(value: Any) -> str:
    """`64,000`, `0.1`, `32,000/48,000`, `none`."""
    if value is None or value == ():
        return "none"
    if isinstance(value, tuple):
        return "/".join(map(written, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def departures_table(runs: pd.DataFrame, compared: dict[str, Comparison]) -> pd.DataFrame | None:
    """Each distinct departure once, with the networks that have it; None without a protocol."""
    if not any(comparison.protocol for comparison in compared.values()):
        return None
    having: dict[Departure, list[str]] = {}
    for directory, comparison in compared.items():
        for departure in comparison.departures:
            having.setdefault(departure, []).append(directory)
    order = list(dict.fromkeys(departure.setting for departure in having))
    by_setting = sorted(having.items(), key=lambda item: order.index(item[0].setting))
    rows = [(*d, _which(runs, compared, directories)) for d, directories in by_setting]
    return pd.DataFrame(rows, columns=["setting", "ours", "the paper's", "runs"])


def _which(runs: pd.DataFrame, compared: dict[str, Comparison], having: list[str]) -> str:
    if len(having) == sum(comparison.protocol is not None for comparison in compared.values()):
        return "all" if len(having) == len(runs) else "all with a protocol"
    members: dict[str, set[str]] = {}
    for directory, comparison in compared.items():
        if comparison.protocol:
            members.setdefault(comparison.protocol.name, set()).add(directory)
    whole = [name for name, directories in members.items() if directories <= set(having)]
    if len(members) > 1 and set(having) == {d for name in whole for d in members[name]}:
        return ", ".join(whole)
    networks = dict.fromkeys(
        f"{network_kind(run['residual'])}-{run['depth']}"
        for directory, run in runs.loc[having].iterrows()
    )
    return ", ".join(networks) if len(networks) <= NAMES_SHOWN else f"{len(having)} of {len(runs)}"


def describe_departures(compared: dict[str, Comparison]) -> str:
    """One sentence: from which protocol how many runs depart, and in what; empty without one."""
    known = [c for c in compared.values() if c.protocol]
    if not known:
        return ""
    names = dict.fromkeys(c.protocol.name for c in known if c.protocol)
    which = next(iter(names)) if len(names) == 1 else "the protocols of their papers"
    departing = [c for c in known if c.departures]
    if not departing:
        return f"Runs keep to {which}, but for what cannot be matched (below)."
    settings = dict.fromkeys(d.setting for c in departing for d in c.departures)
    count = "Runs" if len(departing) == len(compared) else f"{len(departing)} of {len(compared)}"
    return f"{count} depart from {which} in {', '.join(settings)}."


def describe_protocols(compared: dict[str, Comparison]) -> list[str]:
    """Each protocol once: where it stands, and what of it cannot be matched."""
    found = {c.protocol.name: c.protocol for c in compared.values() if c.protocol}
    return [
        f"{name}: {protocol.source}. Not matched: {' '.join(protocol.cannot_be_matched)}"
        for name, protocol in found.items()
    ]
