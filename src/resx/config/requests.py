"""What each command may be asked for, beyond the network, its images and its recipe."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from resx.config.checks import refuse_path
from resx.config.schema import NetworkConfig, TrainConfig

BESIDE_RUNS = ("device", "outputs", "trust", "data.root")  # what analyses of runs may be told
NAMINGS = ("auto", "resx", "torchvision", "akamaster")


@dataclass
class StudyRequest(TrainConfig):
    """Run what is missing of a study. `sweeps` are overrides such as `seed=range(5)`."""

    sweeps: list[str] = field(default_factory=list)
    preview: bool = False
    status: bool = False


@dataclass
class ReportRequest(TrainConfig):
    """A report of a study, or of the runs that a glob finds."""

    sweeps: list[str] = field(default_factory=list)
    runs: str | None = None


@dataclass
class EvaluateConfig(NetworkConfig):
    """The error of trained weights."""

    run: str | None = None
    weights: str | None = None
    naming: str = "auto"
    splits: list[str] = field(default_factory=lambda: ["train", "test"])
    batch_size: int = 500

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(1, "batch_size")
        self.one_of("naming", NAMINGS)


@dataclass
class ExportConfig(NetworkConfig):
    """A run's weights for another project."""

    run: str | None = None
    naming: str = "resx"
    file: str | None = None  # by default in the run directory

    def __post_init__(self) -> None:
        super().__post_init__()
        self.one_of("naming", ("resx", "torchvision", "akamaster"))


@dataclass
class InfoConfig(NetworkConfig):
    """A network's size and cost."""

    batch_size: int = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(1, "batch_size")


@dataclass
class BenchConfig(NetworkConfig):
    """Images per second of the training loop."""

    steps: int = 20
    repeats: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(1, "steps", "repeats")


@dataclass
class AnalyzeConfig(NetworkConfig):
    """One analysis: of the runs that a glob finds, of files of weights, or of fresh networks.

    `sweeps` are overrides such as `depth=20,56`: several networks beside each other; of several
    files, each belongs to one of them, in this order. `snapshots` looks at all weights that the
    runs kept along training, not only at the last ones.
    """

    analysis: dict[str, Any] = field(default_factory=dict)
    runs: str | None = None
    snapshots: bool = False
    weights: str | None = None
    naming: str = "auto"
    sweeps: list[str] = field(default_factory=list)
    force: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.one_of("naming", NAMINGS)
        refuse_path("analysis.name", self.analysis.get("name", MISSING))


@dataclass
class ClaimsRequest(TrainConfig):
    """Every claim of the notes. `only` are ids of claims; `sweeps` are overrides.

    `run` says what is computed where it is missing: `analyses` with the runs that they look at,
    `all` also the studies, `none` nothing. `preview` says what that would cost. `file` is a
    Markdown page to write, such as docs/claims.md.
    """

    run: str = "analyses"
    only: list[str] = field(default_factory=list)
    preview: bool = False
    file: str | None = None
    sweeps: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.one_of("run", ("analyses", "all", "none"))


BARE = {"study": "study", "report": "study", "analyze": "analysis"}  # what a bare word names
COMMANDS: dict[str, type] = {
    "train": TrainConfig,
    "study": StudyRequest,
    "report": ReportRequest,
    "analyze": AnalyzeConfig,
    "claims": ClaimsRequest,
    "evaluate": EvaluateConfig,
    "export": ExportConfig,
    "info": InfoConfig,
    "bench": BenchConfig,
}
