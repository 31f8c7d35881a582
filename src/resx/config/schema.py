"""The typed configuration: what a request may say, checked where it enters (torch-free)."""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from omegaconf import MISSING

from resx.config.checks import Checked, refuse_path
from resx.config.images import HE_2015, KRIZHEVSKY, SMALL_IMAGE, DataConfig
from resx.config.precision import automatic
from resx.config.recipe import RecipeConfig
from resx.config.run_hash import logistics

__all__ = [
    "HE_2015",
    "KRIZHEVSKY",
    "SMALL_IMAGE",
    "DataConfig",
    "NetworkConfig",
    "RecipeConfig",
    "StudyConfig",
    "TrainConfig",
    "reconfigured",
]


RECORDED, MEASURES = ("train", "train_clean", "val", "test"), ("loss", "error")


@dataclass
class StudyConfig(Checked):
    """A grid of runs with a question, and what of the papers to hold it against.

    `grid` is a list of grids, each a dict of setting -> values; the study is their union.
    `reference` is a protocol that all runs are compared with, unset: that of each one's family;
    `papers` are tables to show, each with the names of some networks, or none for all of them.
    """

    group: ClassVar[str] = "study."
    choices: ClassVar[dict[str, tuple[object, ...]]] = {"measure": ("error", "loss", "early")}

    name: str = MISSING  # of its folders below outputs/
    question: str = ""  # what the report's page asks
    grid: list[dict[str, Any]] = field(default_factory=list)  # dicts of setting -> values
    reference: str | None = None  # a paper's protocol; unset: that of each network's family
    papers: dict[str, list[str]] = field(default_factory=dict)  # tables to show beside ours
    best_over: str | None = None  # judge every network at its best value of this setting
    measure: str = "error"  # loss: clean training loss; early: running error at step `at_step`
    at_step: int | None = None  # for measure=early
    margin: float = 0.005  # a difference of errors that counts as none
    ratio: float = 1.5  # a factor between losses, or numbers of steps, that counts as none
    control: dict[str, Any] | None = None  # rank against this row, not all against all

    def __post_init__(self) -> None:
        refuse_path("study.name", self.name)
        self.one_of_its_choices()
        if not 0 < self.margin < 1:
            self.refuse("margin", "must be a fraction between 0 and 1, such as 0.005")
        if not 1 < self.ratio < float("inf"):
            self.refuse("ratio", "must be a factor above 1, such as 1.5")
        if (self.measure == "early") != (self.at_step is not None):
            self.refuse("at_step", "study.measure=early needs it, and nothing else does")


@dataclass
class NetworkConfig(Checked):
    """Which network, on what: the part that every command but `list` shares."""

    choices: ClassVar[dict[str, tuple[object, ...]]] = {
        "layout": ("auto", "cifar", "imagenet"),
        "precision": ("auto", "fp32", "tf32", "bf16"),
    }

    depth: int = MISSING  # weighted layers, as the family's paper counts them
    residual: bool = True  # false: the plain twin, the same layers without their shortcuts
    block: str = MISSING  # which of the family's blocks (resx help model)
    layout: str = "auto"  # the stage table; auto: the images' size and the depth decide
    seed: int = 0  # of the first weights, the order of images and their augmentation
    device: str = logistics("auto")  # auto, cpu, cuda, cuda:1, mps
    precision: str = "fp32"  # of the arithmetic; auto: bf16 where it is native; tf32: CUDA alone
    compile: bool = logistics(False)  # through torch.compile
    # CUDA records a training step once and replays it; not where several processes share it
    cuda_graphs: bool = logistics(True)
    # Under torchrun: batch norm takes its means over the images of all processes, as in one
    # process; false: over those of each, as recipe.micro_batch does
    sync_batch_norm: bool = logistics(False)
    deterministic: bool = logistics(False)  # only algorithms that give equal bits
    checkpoint_activations: bool = logistics(False)  # less memory for a third more time
    outputs: str = logistics("outputs")  # the folder of all runs and reports
    # Packages of yours whose functions a yaml may name; only when it is typed
    trust: list[str] = field(default_factory=list, metadata={"hashed": False})
    data: DataConfig = field(default_factory=DataConfig)
    model: dict[str, Any] = field(default_factory=dict)
    recipe: RecipeConfig = field(default_factory=RecipeConfig)
    study: StudyConfig | None = field(default=None, metadata={"hashed": False})

    def __post_init__(self) -> None:
        refuse_path("model.name", self.model.get("name", MISSING))
        self.at_least(0, "seed")
        self.at_least(1, "depth")
        self.one_of_its_choices()
        if self.precision == "auto":
            self.precision = automatic(self.device)


@dataclass
class TrainConfig(NetworkConfig):
    """One run."""

    choices: ClassVar[dict[str, tuple[object, ...]]] = NetworkConfig.choices | {
        "tracker": ("tensorboard", "mlflow")
    }

    force: bool = logistics(False)  # train again what is finished
    # What an optimising sweeper (Optuna) makes small: SPLIT/error or SPLIT/loss of the last step
    objective: str = logistics("train_clean/loss")
    # Where curves go beside metrics.jsonl: TensorBoard's files in the run directory, or MLflow at
    # MLFLOW_TRACKING_URI (unset: outputs/mlflow.db, no server needed)
    tracker: str = logistics("tensorboard")

    def __post_init__(self) -> None:
        super().__post_init__()
        split, _, measure = self.objective.partition("/")
        if split not in RECORDED or measure not in MEASURES:
            self.refuse(
                "objective", f"one of {', '.join(RECORDED)}, /, and {' or '.join(MEASURES)}"
            )
        if split == "val" and not self.data.val_fraction:
            self.refuse("objective", "data.val_fraction=0 holds no images out")


def reconfigured(config: TrainConfig, **changes: Any) -> TrainConfig:
    """The configuration with other logistics; a name like `data_root` means `data.root`."""
    data = {k.removeprefix("data_"): v for k, v in changes.items() if k.startswith("data_")}
    top = {k: v for k, v in changes.items() if not k.startswith("data_")}
    return replace(config, data=replace(config.data, **data), **top)
