"""The typed configuration: what a request may say, checked where it enters (torch-free)."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from omegaconf import MISSING

from resx.config.checks import Checked, refuse_path
from resx.config.precision import automatic
from resx.config.run_hash import logistics

SMALL_IMAGE = 64  # pixels; smaller images live in memory, larger ones are streamed
KRIZHEVSKY = 0.1  # standard deviation of the colour noise (Krizhevsky 2012, Sec. 4.1)
HE_2015 = [256, 480]  # shorter side for a crop of 224 (He et al. 2015, Sec. 3.4)


@dataclass
class DataConfig(Checked):
    """Which images, how they are augmented and normalised."""

    group: ClassVar[str] = "data."

    name: str = MISSING
    source: dict[str, Any] = field(default_factory=dict)  # `_target_`: see `data.source.Reader`
    root: str | None = logistics(None)
    download: bool = logistics(False)
    workers: int = logistics(0)  # processes that decode; only for images that are streamed
    image_size: int = MISSING
    channels: int = logistics(3)  # what `info` takes for granted, as it reads no image
    classes: int | None = logistics(None)
    pad: int = 0  # pixels on each side before the random crop (He 2015, Sec. 4.2: 4)
    padding: str = "zero"  # what they hold; reflect: the image mirrored (Zagoruyko's code)
    flip: bool = False
    normalize: str = "channel"
    mean: list[float] | None = None  # for normalize=given, one number a channel, pixels in [0, 1]
    std: list[float] | None = None
    subset: int | None = None  # train on so many images, drawn class by class
    val_fraction: float = 0.0  # share of the training images held out as `val`
    crops: int = 1  # views of a streamed test image: 1 (centre) or 10
    # Of streamed training images; version 0.1 had no such settings, but did as the papers do.
    colour_noise: float = field(
        default=0.0, metadata={"before": lambda data: KRIZHEVSKY if data.is_streamed else 0.0}
    )
    shorter_side: list[int] | None = field(
        default=None, metadata={"before": lambda data: HE_2015 if data.is_streamed else None}
    )

    @property
    def is_streamed(self) -> bool:
        """Whether images are decoded while they are needed, as they are too many for memory."""
        return self.image_size >= SMALL_IMAGE

    def __post_init__(self) -> None:
        refuse_path("data.name", self.name)
        self.at_least(0, "pad", "workers", "colour_noise")
        self.at_least(1, "subset", "image_size")
        self.one_of("padding", ("zero", "reflect"))
        self.one_of("normalize", ("pixel", "channel", "given"))
        self.one_of("crops", (1, 10))
        if not 0 <= self.val_fraction < 1:
            self.refuse("val_fraction", "must be in [0, 1)")
        if (self.normalize == "given") != (self.mean is not None and self.std is not None):
            self.refuse("normalize", "'given' needs data.mean and data.std, and only it takes them")
        if self.std is not None and min(self.std, default=0.0) <= 0:
            self.refuse("std", "must be positive")
        if self.shorter_side is not None and not self._is_range(self.shorter_side):
            self.refuse("shorter_side", "must be [LEAST, MOST] for a crop of 224, at least 224")

    @staticmethod
    def _is_range(sides: list[int]) -> bool:
        return len(sides) == 2 and 224 <= sides[0] <= sides[1]


@dataclass
class RecipeConfig(Checked):
    """How to train. Time is counted in optimisation steps, never in epochs."""

    group: ClassVar[str] = "recipe."

    name: str = MISSING
    steps: int = 64_000
    batch_size: int = 128
    optimizer: str = "sgd"
    lr: float = 0.1
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 1e-4
    decay_norms: bool = True  # false: none on norms, biases and tokens, as AdamW is often used
    schedule: str = "multistep"
    milestones: list[int] = field(default_factory=list)  # lr is multiplied by lr_decay after each
    lr_decay: float = 0.1
    warmup: str = "none"
    warmup_steps: int = 0  # length of a constant or linear warm-up
    warmup_lr: float = 0.01  # lr during a constant warm-up, first lr of a linear one
    warmup_error: float = 0.8  # warmup=error lasts until the running training error is below this
    warmup_limit: int | None = None  # warmup=error ends after so many steps at the latest
    warmup_min_depth: int = 0  # shallower networks do without
    bn_batch: int | None = None  # images over which batch norm takes its means; unset: the batch
    # Training batches on which evaluations re-estimate batch norm's statistics; 0: they use the
    # running averages, as version 0.1 did.
    bn_reestimate: int = field(default=10, metadata={"before": lambda recipe: 0})
    record_every: int = 100  # steps between records of the running training error
    eval_every: int = 1_000  # steps between evaluations, a multiple of record_every
    save_every: int = logistics(1_000)
    snapshots: int = logistics(0)  # so many log-spaced steps, and step 0, whose weights are kept

    def __post_init__(self) -> None:
        self.at_least(1, "steps", "batch_size", "record_every", "eval_every", "save_every")
        self.at_least(1, "warmup_limit")
        self.at_least(2, "bn_batch")
        self.at_least(0, "lr", "momentum", "weight_decay", "warmup_steps", "warmup_lr")
        self.at_least(0, "bn_reestimate", "snapshots")
        self.one_of("optimizer", ("sgd", "adamw"))
        self.one_of("schedule", ("multistep", "cosine"))
        self.one_of("warmup", ("none", "constant", "linear", "error"))
        if self.eval_every % self.record_every:
            self.refuse("eval_every", f"must be a multiple of record_every={self.record_every}")
        if self.nesterov and self.momentum == 0:
            self.refuse("nesterov", "needs recipe.momentum above 0")
        if self.warmup == "linear" and self.warmup_steps == 0:
            self.refuse("warmup_steps", "a linear warm-up needs at least 1")
        if sorted(self.milestones) != list(self.milestones):
            self.refuse("milestones", "must increase")


@dataclass
class StudyConfig(Checked):
    """A grid of runs with a question, and what of the papers to hold it against.

    `grid` is a list of grids, each a dict of setting -> values; the study is their union.
    `reference` is a protocol that all runs are compared with, unset: that of each one's family;
    `papers` are tables to show, each with the names of some networks, or none for all of them.
    """

    group: ClassVar[str] = "study."

    name: str = MISSING
    question: str = ""
    grid: list[dict[str, Any]] = field(default_factory=list)
    reference: str | None = None
    papers: dict[str, list[str]] = field(default_factory=dict)
    best_over: str | None = None  # judge every network at its best value of this setting
    measure: str = "error"  # loss: clean training loss; early: running error at step `at_step`
    at_step: int | None = None
    margin: float = 0.005  # a difference of errors that counts as none
    ratio: float = 1.5  # a factor between losses, or numbers of steps, that counts as none
    control: dict[str, Any] | None = None  # rank against this row, not all against all

    def __post_init__(self) -> None:
        refuse_path("study.name", self.name)
        self.one_of("measure", ("error", "loss", "early"))
        if not 0 < self.margin < 1:
            self.refuse("margin", "must be a fraction between 0 and 1, such as 0.005")
        if not 1 < self.ratio < float("inf"):
            self.refuse("ratio", "must be a factor above 1, such as 1.5")
        if (self.measure == "early") != (self.at_step is not None):
            self.refuse("at_step", "study.measure=early needs it, and nothing else does")


@dataclass
class NetworkConfig(Checked):
    """Which network, on what: the part that every command but `list` shares."""

    depth: int = MISSING
    residual: bool = True
    block: str = MISSING
    layout: str = "auto"
    seed: int = 0
    device: str = logistics("auto")
    precision: str = "fp32"
    compile: bool = logistics(False)
    deterministic: bool = logistics(False)
    checkpoint_activations: bool = logistics(False)
    outputs: str = logistics("outputs")
    trust: list[str] = field(default_factory=list, metadata={"hashed": False})
    data: DataConfig = field(default_factory=DataConfig)
    model: dict[str, Any] = field(default_factory=dict)
    recipe: RecipeConfig = field(default_factory=RecipeConfig)
    study: StudyConfig | None = field(default=None, metadata={"hashed": False})

    def __post_init__(self) -> None:
        refuse_path("model.name", self.model.get("name", MISSING))
        self.at_least(0, "seed")
        self.at_least(1, "depth")
        self.one_of("layout", ("auto", "cifar", "imagenet"))
        self.one_of("precision", ("auto", "fp32", "tf32", "bf16"))
        if self.precision == "auto":
            self.precision = automatic(self.device)


@dataclass
class TrainConfig(NetworkConfig):
    """One run."""

    force: bool = logistics(False)
