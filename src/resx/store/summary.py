"""What a run says of itself in `summary.json`: typed, checked on reading."""

from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from resx.config.typed import typed
from resx.store.reading import sealed, unsealed


class Status(StrEnum):
    """How far a run is; `missing`, `running` and `damaged` are seen from outside, not written."""

    MISSING = "missing"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    FINISHED = "finished"
    DIVERGED = "diverged"  # a result, too: nothing is left to train
    DAMAGED = "damaged"  # its files are not as they were written; the same request repairs it

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
    processes: int = 1  # that shared the run, each with so many threads
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
    results: int = 1  # the number of the arithmetic: `resx.config.run_hash.results_number`
    step: int = 0
    final: dict[str, Score] = field(default_factory=dict)
    last: dict[str, Score] = field(default_factory=dict)
    running_statistics: dict[str, Score] = field(default_factory=dict)
    warmup_end: int | None = None
    seconds: float = 0.0
    images_per_second: float = 0.0
    peak_memory: int = 0
    ended: str = ""
    checksums: dict[str, str] = field(default_factory=dict)  # of a final run's other files

    @classmethod
    def from_json(cls, text: str) -> "Summary":
        """Raises `ValueError`, naming the field, for a text that is no summary."""
        values = unsealed(text)
        if "status" not in values:
            raise ValueError("no summary: an object with a status was expected")
        result: Summary = typed(values, cls, "summary")
        return result

    def to_json(self) -> str:
        return sealed(asdict(self))

    def but(self, **changes: Any) -> "Summary":
        return replace(self, **changes)
