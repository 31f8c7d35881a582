"""The papers' tables, network by network: which of ours each one is, and what was found."""

from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml
from yaml import SafeLoader

from resx.reference.published import PublishedError, published_error

SPLITS = ("train", "test")


class Task(NamedTuple):
    """What a figure is of: a data set as published.csv calls it, all its training images, whole."""

    label: str
    images: tuple[int, ...]
    image_size: int  # pixels


# Papers that chose their schedule on 45k/5k images of CIFAR-10 leave open what they trained on.
TASKS = {
    "cifar10": Task("CIFAR-10", (50_000, 45_000), 32),
    "imagenet": Task("ImageNet-1k", (1_281_167,), 224),
}


@dataclass(frozen=True)
class PaperNetwork:
    """`settings`: the values under which a network of ours is this one; None if none is."""

    name: str
    settings: dict[str, tuple[Any, ...]] | None
    figures: dict[str, PublishedError]

    def is_one(self, settings: dict[str, Any]) -> bool:
        """Whether flat settings, in which None or absence is "left to the network", are its."""
        if self.settings is None:
            return False
        return all(settings.get(key) in allowed for key, allowed in self.settings.items())


@dataclass(frozen=True)
class PaperTable:
    """A table of a paper, or some of its networks; `note` is what a reader must know of it."""

    key: str
    title: str
    data: str
    note: str
    networks: tuple[PaperNetwork, ...]

    @property
    def task(self) -> Task:
        return TASKS[self.data]

    @property
    def has_ours(self) -> bool:
        """Whether a network of it is one that resx builds."""
        return any(network.settings is not None for network in self.networks)

    def figure(self, split: str, settings: dict[str, Any]) -> PublishedError | None:
        """What the paper found for the network with these flat settings."""
        found = (n.figures.get(split) for n in self.networks_like(settings))
        return next((figure for figure in found if figure), None)

    def networks_like(self, settings: dict[str, Any]) -> list[PaperNetwork]:
        """Those that flat settings describe, in the table's order."""
        return [network for network in self.networks if network.is_one(settings)]

    def only(self, names: list[str]) -> "PaperTable":
        """Some of its networks, all without names. Raises `KeyError` for one it does not have."""
        by_name = {network.name: network for network in self.networks}
        chosen = tuple(by_name[name] for name in names)
        return replace(self, networks=chosen) if names else self


@cache
def paper_tables() -> dict[str, PaperTable]:
    """All of papers.yaml."""
    return {key: _table(key, entry) for key, entry in _papers().items()}


@cache
def paper_networks() -> dict[str, list[str]]:
    """The names of all networks of each table; their figures, which take longer, are not read."""
    return {key: list(entry["networks"]) for key, entry in _papers().items()}


@cache
def _papers() -> dict[str, dict[str, Any]]:
    text = (files("resx.reference") / "papers.yaml").read_text()
    content: dict[str, dict[str, Any]] = yaml.load(text, getattr(yaml, "CSafeLoader", SafeLoader))
    return content


def chosen(papers: dict[str, list[str]]) -> tuple[PaperTable, ...]:
    """What a study asks for: tables by name, each with the networks it wants, none for all."""
    return tuple(paper_tables()[key].only(list(names)) for key, names in papers.items())


def _table(key: str, entry: dict[str, Any]) -> PaperTable:
    networks = []
    for name, own in entry["networks"].items():
        settings = None
        if own is not None:
            known = {"residual": True} | entry.get("all", {}) | own
            settings = {k: tuple(v) if isinstance(v, list) else (v,) for k, v in known.items()}
        place = tuple(entry["from"]), TASKS[entry["data"]].label
        found = {s: published_error(*place, s, name, entry.get("protocol", "")) for s in SPLITS}
        figures = {split: figure for split, figure in found.items() if figure}
        networks.append(PaperNetwork(name, settings, figures))
    return PaperTable(key, entry["title"], entry["data"], entry.get("note", ""), tuple(networks))
