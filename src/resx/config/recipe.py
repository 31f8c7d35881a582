"""The settings of `recipe`: how to train (torch-free)."""

from dataclasses import dataclass, field
from typing import ClassVar

from omegaconf import MISSING

from resx.config.checks import Checked
from resx.config.run_hash import logistics


@dataclass
class RecipeConfig(Checked):
    """How to train. Time is counted in optimisation steps, never in epochs.

    What stands beside or above a setting is what `resx help recipe.NAME` says of it.
    """

    group: ClassVar[str] = "recipe."
    choices: ClassVar[dict[str, tuple[object, ...]]] = {
        "optimizer": ("sgd", "adamw"),
        "schedule": ("multistep", "cosine"),
        "warmup": ("none", "constant", "linear", "error"),
    }

    name: str = MISSING  # what reports call it
    steps: int = 64_000  # optimisation steps of a run
    batch_size: int = 128  # images of a step
    optimizer: str = "sgd"  # sgd has momentum; adamw decays weights apart from the gradient
    lr: float = 0.1  # learning rate after the warm-up
    momentum: float = 0.9  # of sgd
    nesterov: bool = False  # sgd looks ahead, as wide ResNets and DenseNets were trained
    weight_decay: float = 1e-4  # of all weights (see recipe.decay_norms)
    decay_norms: bool = True  # false: none on norms, biases and tokens, as AdamW is often used
    schedule: str = "multistep"  # cosine: lr falls to 0 at the end
    milestones: list[int] = field(default_factory=list)  # lr is multiplied by lr_decay after each
    lr_decay: float = 0.1  # factor at each of recipe.milestones
    # How lr begins: constant at warmup_lr, or linear from there, for warmup_steps; error: constant
    # until the running training error is below warmup_error (He 2015, Sec. 4.2, for 110 layers)
    warmup: str = "none"
    warmup_steps: int = 0  # length of a constant or linear warm-up
    warmup_lr: float = 0.01  # lr during a constant warm-up, first lr of a linear one
    warmup_error: float = 0.8  # warmup=error lasts until the running training error is below this
    warmup_limit: int | None = None  # warmup=error ends after so many steps at the latest
    warmup_min_depth: int = 0  # shallower networks do without
    # Images that pass at a time, a divisor of batch_size, in less memory: gradients are summed up,
    # and batch norm takes its means over these alone; unset: the batch
    micro_batch: int | None = None
    bn_batch: int | None = None  # images over which batch norm takes means; unset: all that pass
    # Training batches on which evaluations re-estimate batch norm's statistics; 0: they use the
    # running averages, as in results of number 1
    bn_reestimate: int = field(default=10, metadata={"before": lambda recipe: 0})
    record_every: int = 100  # steps between records of the running training error
    eval_every: int = 1_000  # steps between evaluations, a multiple of record_every
    save_every: int = logistics(1_000)  # steps between checkpoints
    snapshots: int = logistics(0)  # so many log-spaced steps, and step 0, whose weights are kept

    def __post_init__(self) -> None:
        self.at_least(1, "steps", "batch_size", "record_every", "eval_every", "save_every")
        self.at_least(1, "warmup_limit", "micro_batch")
        self.at_least(2, "bn_batch")
        self.at_least(0, "lr", "momentum", "weight_decay", "warmup_steps", "warmup_lr")
        self.at_least(0, "bn_reestimate", "snapshots", "warmup_min_depth")
        self.one_of_its_choices()
        self.share("lr_decay", "warmup_error")
        if self.batch_size % (self.micro_batch or 1):
            self.refuse("micro_batch", f"must divide recipe.batch_size={self.batch_size}")
        if self.momentum >= 1:
            self.refuse("momentum", "must be below 1, or updates grow without end")
        if self.eval_every % self.record_every:
            self.refuse("eval_every", f"must be a multiple of record_every={self.record_every}")
        if self.nesterov and self.momentum == 0:
            self.refuse("nesterov", "needs recipe.momentum above 0")
        if self.warmup == "linear" and self.warmup_steps == 0:
            self.refuse("warmup_steps", "a linear warm-up needs at least 1")
        if any(later <= step for step, later in zip([0, *self.milestones], self.milestones)):
            self.refuse("milestones", "must increase, from 1 on")
        if self.micro_batch == self.batch_size:
            self.micro_batch = None  # the same run
