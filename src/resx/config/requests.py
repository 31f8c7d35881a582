"""What each command may be asked for, beyond the network, its images and its recipe."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from omegaconf import MISSING

from resx.config.checks import refuse_path
from resx.config.schema import NetworkConfig, TrainConfig
from resx.errors import RequestError, unknown

BESIDE_RUNS = ("device", "outputs", "trust", "data.root")  # what analyses of runs may be told
NAMINGS = ("auto", "resx", "torchvision", "akamaster")
SPLITS = ("train", "val", "test")
Choices = dict[str, tuple[object, ...]]


@dataclass
class StudyRequest(TrainConfig):
    """Run what is missing of a study. `sweeps` are overrides such as `seed=range(5)`."""

    sweeps: list[str] = field(default_factory=list)  # made of what is typed with several values
    preview: bool = False  # what is missing, and what it would cost; trains nothing
    status: bool = False  # what is done, running, failed and missing; trains nothing
    # Runs at work at once; unset: what trains most steps a second, by a few that are tried on the
    # CPU, or as the runs before; by the images' size if the study is small; one on a GPU
    jobs: int | None = None
    threads: int | None = None  # of each run; unset: as with jobs

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(1, "jobs", "threads")


@dataclass
class ReportRequest(TrainConfig):
    """A report of a study, or of the runs that a glob finds."""

    sweeps: list[str] = field(default_factory=list)  # made of what is typed with several values
    runs: str | None = None  # a glob of run directories, such as 'outputs/runs/digits/**'


@dataclass
class EvaluateConfig(NetworkConfig):
    """The error of trained weights."""

    choices: ClassVar[Choices] = NetworkConfig.choices | {"naming": NAMINGS}

    run: str | None = None  # a run directory
    weights: str | None = None  # a checkpoint, an export, or a state dict of another project
    naming: str = "auto"  # whose names the weights have; auto: the last layer's name tells
    # Of which images: train, test, and val where some are held out
    splits: list[str] = field(default_factory=lambda: ["train", "test"])
    batch_size: int = 500  # images at a time; the errors do not depend on it

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(1, "batch_size")
        for split in self.splits:
            if split not in SPLITS:
                raise RequestError(unknown("split", split, SPLITS))
        if not self.splits:
            self.refuse("splits", f"name some of {', '.join(SPLITS)}")


@dataclass
class ExportConfig(NetworkConfig):
    """A run's weights for another project."""

    choices: ClassVar[Choices] = NetworkConfig.choices | {"naming": NAMINGS[1:]}

    run: str | None = None  # a run directory
    weights: str | None = None  # or a checkpoint or snapshot of resx
    naming: str = "resx"  # the project in whose names the weights are written
    file: str | None = None  # where to; unset: beside what is exported


@dataclass
class InfoConfig(NetworkConfig):
    """A network's size and cost."""

    batch_size: int | None = None  # of which the activations' memory is told; unset: the recipe's

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(1, "batch_size")


@dataclass
class BenchConfig(NetworkConfig):
    """Images per second of the training loop."""

    steps: int = 20  # of a turn
    repeats: int = 3  # turns of each loop, interleaved

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(1, "steps", "repeats")


@dataclass
class PackConfig(NetworkConfig):
    """Class folders as shards."""

    # Where to: a folder, or a pattern in it such as shards/imagenet-%06d.tar
    file: str | None = None
    megabytes: int = 500  # of a shard

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(1, "megabytes")


@dataclass
class AnalyzeConfig(NetworkConfig):
    """One analysis: of the runs that a glob finds, of files of weights, or of fresh networks.

    `sweeps` are overrides such as `depth=20,56`: several networks beside each other; of several
    files, each belongs to one of them, in this order. `snapshots` looks at all weights that the
    runs kept along training, not only at the last ones.
    """

    choices: ClassVar[Choices] = NetworkConfig.choices | {"naming": NAMINGS}

    analysis: dict[str, Any] = field(default_factory=dict)  # which, and its options
    runs: str | None = None  # a glob of run directories; unset: fresh networks
    snapshots: bool = False  # all weights that the runs kept along training, not only the last
    weights: str | None = None  # files of weights, each of the network typed in the same place
    naming: str = "auto"  # whose names the weights have; auto: the last layer's name tells
    sweeps: list[str] = field(default_factory=list)  # made of what is typed with several values
    force: bool = False  # compute again what was found

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_path("analysis.name", self.analysis.get("name", MISSING))


@dataclass
class ClaimsRequest(TrainConfig):
    """Every claim of the notes. `only` are ids of claims; `sweeps` are overrides.

    `run` says what is computed where it is missing: `analyses` with the runs that they look at,
    `all` also the studies, `none` nothing. `preview` says what that would cost. `file` is a
    Markdown page to write, such as docs/claims.md.
    """

    choices: ClassVar[Choices] = TrainConfig.choices | {"run": ("analyses", "all", "none")}

    run: str = "analyses"  # what is computed where it is missing; all: the studies too
    only: list[str] = field(default_factory=list)  # ids of claims
    preview: bool = False  # what is missing, and what it would cost; computes nothing
    file: str | None = None  # a Markdown page to write, such as docs/claims.md
    sweeps: list[str] = field(default_factory=list)  # made of what is typed with several values


GRIDS = ("study", "report", "analyze", "claims")  # commands that take a grid themselves
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
    "pack": PackConfig,
}
