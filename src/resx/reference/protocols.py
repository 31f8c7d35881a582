"""What the papers did, written by hand from their texts: settings, and what resx cannot match."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from yaml import SafeLoader


@dataclass(frozen=True)
class Protocol:
    """`settings` has the values that count as the paper's, by the flat name of a setting.

    `varies`: settings that the paper itself varies; `unstated`: those that it leaves open. `tables`
    and `curves` name what it found, in papers.yaml and curves_he2015.csv.
    """

    name: str
    title: str
    arxiv: str
    sections: str
    families: tuple[str, ...]
    settings: dict[str, tuple[Any, ...]]
    varies: tuple[str, ...]
    unstated: tuple[str, ...]
    cannot_be_matched: tuple[str, ...]
    tables: tuple[str, ...] = ()
    curves: str = ""

    @property
    def source(self) -> str:
        return f"{self.title} (arXiv:{self.arxiv}, {self.sections})"


@cache
def protocols() -> dict[str, Protocol]:
    """All of them by name; the yaml of that name says where each value stands."""
    folder = files("resx.reference") / "protocols"
    paths = sorted(folder.iterdir(), key=lambda path: path.name)
    loader = getattr(yaml, "CSafeLoader", SafeLoader)
    return {
        (name := path.name.removesuffix(".yaml")): _read(name, yaml.load(path.read_text(), loader))
        for path in paths
        if path.name.endswith(".yaml")
    }


def _read(name: str, content: dict[str, Any]) -> Protocol:
    settings = {k: tuple(map(_frozen, v)) for k, v in content.pop("settings").items()}
    rest: dict[str, Any] = {k: _frozen(v) for k, v in content.items()}
    return Protocol(name=name, settings=settings, **rest)


def _frozen(value: Any) -> Any:
    """A list is one value of a setting such as `recipe.milestones`, a tuple as in flat settings."""
    return tuple(value) if isinstance(value, list) else value


def protocol_for(family: str, image_size: int, streamed_from: int) -> Protocol | None:
    """That of a family for images of this kind: small as CIFAR's, or streamed as ImageNet's.

    `streamed_from` is the size that tells them apart.
    """
    for protocol in protocols().values():
        papers = protocol.settings["data.image_size"][0]
        alike = (papers >= streamed_from) == (image_size >= streamed_from)
        if family in protocol.families and alike:
            return protocol
    return None
