"""What each command may be asked for, beyond the network, its images and its recipe."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from resx.config.checks import refuse_path
from resx.config.schema import NetworkConfig, TrainConfig


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
        self.one_of("naming", ("auto", "resx", "torchvision", "akamaster"))


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
    """One analysis: of the runs that a glob finds, or of networks at initialisation.

    `sweeps` are overrides such as `depth=20,56`: several networks beside each other.
    """

    analysis: dict[str, Any] = field(default_factory=dict)
    runs: str | None = None
    sweeps: list[str] = field(default_factory=list)
    force: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_path("analysis.name", self.analysis.get("name", MISSING))


BARE = {"study": "study", "report": "study", "analyze": "analysis"}  # what a bare word names
COMMANDS: dict[str, type] = {
    "train": TrainConfig,
    "study": StudyRequest,
    "report": ReportRequest,
    "analyze": AnalyzeConfig,
    "evaluate": EvaluateConfig,
    "export": ExportConfig,
    "info": InfoConfig,
    "bench": BenchConfig,
}
