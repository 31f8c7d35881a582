"""All that a training step changes, in the form that a checkpoint holds."""

from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn, optim

from resx.config.schema import RecipeConfig
from resx.store.summary import Score
from resx.training.optimizers import SGD, AdamW
from resx.training.schedule import planned_warmup_end


def make_optimizer(network: nn.Module, recipe: RecipeConfig) -> optim.Optimizer:
    """Weight decay acts on all parameters (He 2015), with `decay_norms=false` on weights only."""
    parameters = _groups(network, recipe)
    if recipe.optimizer == "adamw":
        return AdamW(parameters, recipe.lr, weight_decay=recipe.weight_decay, fused=True)
    return SGD(
        parameters,
        recipe.lr,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        nesterov=recipe.nesterov,
        fused=True,
    )


def _groups(network: nn.Module, recipe: RecipeConfig) -> list[dict[str, Any]]:
    parameters = list(network.parameters())
    if recipe.decay_norms:
        return [{"params": parameters}]
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    weights = [layer.weight for layer in layers]
    kept = {id(weight) for weight in weights}
    others = [p for p in parameters if id(p) not in kept]
    return [{"params": weights}, {"params": others, "weight_decay": 0.0}]


@dataclass
class Totals:
    """Sums of (loss, error) since the last look, kept on the device."""

    sums: Tensor
    steps: int = 0

    def add(self, loss_and_error: Tensor) -> None:
        self.sums += loss_and_error
        self.steps += 1

    def take(self) -> tuple[float, float]:
        """The means, read from the device; starts anew."""
        loss, error = (self.sums / self.steps).tolist()
        self.sums.zero_()
        self.steps = 0
        return loss, error


@dataclass
class State:
    """All that a step changes; what a checkpoint holds."""

    network: nn.Module
    optimizer: optim.Optimizer
    totals: Totals  # since the last record
    recent: Totals  # since the last look of warmup=error
    warmup_end: int | None
    # Batch norm's statistics as re-estimated for the evaluation of this step, {} at others.
    statistics: dict[str, Tensor] = field(default_factory=dict)
    step: int = 0
    seconds: float = 0.0  # spent on training steps
    scores: dict[str, Score] = field(default_factory=dict)  # last record of each split
    running_scores: dict[str, Score] = field(default_factory=dict)  # see `Summary`

    @classmethod
    def start(cls, network: nn.Module, recipe: RecipeConfig, depth: int) -> "State":
        device = next(network.parameters()).device
        zeros = torch.zeros(2, device=device)
        optimizer = make_optimizer(network, recipe)
        warmup_end = planned_warmup_end(recipe, depth)
        return cls(network, optimizer, Totals(zeros), Totals(zeros.clone()), warmup_end)

    def state_dict(self) -> dict[str, Any]:
        cuda = torch.cuda.is_available()
        optimizer = self.optimizer.state_dict()
        for group in optimizer["param_groups"]:
            group["lr"] = float(group["lr"])  # a tensor where a CUDA graph reads it
        return {
            "model": self.network.state_dict(),
            "optimizer": optimizer,
            "totals": [self.totals.sums, self.totals.steps],
            "recent": [self.recent.sums, self.recent.steps],
            "statistics": self.statistics,
            "warmup_end": self.warmup_end,
            "step": self.step,
            "seconds": self.seconds,
            "scores": _plain(self.scores),
            "running_scores": _plain(self.running_scores),
            "rng": {
                "cpu": torch.get_rng_state(),
                "cuda": torch.cuda.get_rng_state_all() if cuda else [],
            },
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        for totals, (sums, steps) in (
            (self.totals, state["totals"]),
            (self.recent, state["recent"]),
        ):
            totals.sums.copy_(sums)  # in place: they stay on the device
            totals.steps = steps
        self.warmup_end, self.step = state["warmup_end"], state["step"]
        self.seconds = state["seconds"]
        self.scores = {split: Score(**score) for split, score in state["scores"].items()}
        running = state.get("running_scores", {})  # version 0.1 had none
        self.running_scores = {split: Score(**score) for split, score in running.items()}
        torch.set_rng_state(state["rng"]["cpu"])
        # It may have been saved where there were more or fewer GPUs.
        for number, numbers in zip(range(torch.cuda.device_count()), state["rng"]["cuda"]):
            torch.cuda.set_rng_state(numbers, number)


def _plain(scores: dict[str, Score]) -> dict[str, dict[str, Any]]:
    return {split: asdict(score) for split, score in scores.items()}
