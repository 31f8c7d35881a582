"""What a run says of itself in `summary.json`: typed, checked on reading."""

import json
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints


class Status(StrEnum):
    """How far a run is. `missing` and `running` are seen from outside; the others are written."""

    MISSING = "missing"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    FINISHED = "finished"
    DIVERGED = "diverged"  # a result, too: nothing is left to train

    @property
    def is_final(self) -> bool:
        return self in (Status.FINISHED, Status.DIVERGED)


@dataclass(frozen=True)
class Score:
    """Of a split at a step; `error` is a fraction."""

    step: int
    loss: float
    error: float


@dataclass(frozen=True)
class Environment:
    """Versions, hardware and the commit, so that a result can be traced."""

    resx: str = ""
    python: str = ""
    torch: str = ""
    threads: int = 0
    capability: str = ""  # instruction set of the processor, as torch uses it
    hardware: str = ""
    git_commit: str | None = None


@dataclass(frozen=True)
class Summary:
    """The fields of `summary.json`; times in seconds, memory in bytes, errors as fractions.

    `final` holds the scores of the last step, so it is empty unless the run reached it; `last`
    those of the last record of every split. `running_statistics` are the last step's scores with
    batch norm's running averages, where `final` has them re-estimated.
    """

    status: Status = Status.MISSING
    network: str = ""
    model: str = ""
    depth: int = 0
    residual: bool = True
    seed: int = 0
    hash: str = ""
    recipe: str = ""
    steps: int = 0
    parameters: int = 0
    flops: int = 0
    data: str = ""
    data_root: str | None = None
    data_fingerprint: str = ""
    images: dict[str, int] = field(default_factory=dict)
    chance: float = 0.0  # error of naming every training image as the most frequent class
    normalization: dict[str, list[float]] = field(default_factory=dict)
    device: str = ""
    precision: str = ""
    environment: Environment = field(default_factory=Environment)
    started: str = ""
    failure: str | None = None
    results: int = 1  # the number of the arithmetic: `resx.config.run_hash.RESULTS`
    step: int = 0
    final: dict[str, Score] = field(default_factory=dict)
    last: dict[str, Score] = field(default_factory=dict)
    running_statistics: dict[str, Score] = field(default_factory=dict)
    warmup_end: int | None = None
    seconds: float = 0.0
    images_per_second: float = 0.0
    peak_memory: int = 0
    ended: str = ""

    @classmethod
    def from_json(cls, text: str) -> "Summary":
        """Raises `ValueError`, naming the field, for a text that is no summary."""
        values = json.loads(text)
        if not isinstance(values, dict) or "status" not in values:
            raise ValueError("no summary: an object with a status was expected")
        result: Summary = _checked(values, cls, "summary")
        return result

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"

    def but(self, **changes: Any) -> "Summary":
        return replace(self, **changes)


def _checked(value: Any, kind: Any, name: str) -> Any:
    """`value`, as JSON has it, in the annotated type `kind`; fields that are unknown are dropped.

    A field that is absent has its default: summaries of earlier versions have fewer.
    """
    if type(value) is kind:
        return value
    origin, parts = get_origin(kind), get_args(kind)
    if hasattr(kind, "__dataclass_fields__"):
        if not isinstance(value, dict):
            raise ValueError(f"{name}: {_shown(value)} is no object")
        hints = _hints(kind)
        known = hints.keys() & value.keys()
        as_is = {
            k: v for k in known if type(v := value[k]) is hints[k]
        }  # most; the rest takes time
        rest = known - as_is.keys()
        return kind(**as_is, **{k: _checked(value[k], hints[k], f"{name}.{k}") for k in rest})
    if origin in (Union, UnionType):
        return None if value is None else _checked(value, parts[0], name)
    if origin is dict and isinstance(value, dict):
        return {str(k): _checked(v, parts[1], f"{name}.{k}") for k, v in value.items()}
    if origin is list and isinstance(value, list):
        return [_checked(v, parts[0], name) for v in value]
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(kind, type) and isinstance(value, str) and issubclass(kind, Status):
        return kind(value)  # its own ValueError names the value
    raise ValueError(f"{name}: {_shown(value)} is not what stands there")


@cache
def _hints(kind: type) -> dict[str, Any]:
    """The types of a class's fields; working them out takes longer than reading a summary."""
    return get_type_hints(kind)


def _shown(value: Any) -> str:
    return repr(value)[:40]
