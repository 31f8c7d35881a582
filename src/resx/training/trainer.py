"""The training loop; its clock is the optimisation step."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn

from resx.config.schema import RecipeConfig
from resx.data.dataset import Dataset
from resx.device import synchronize
from resx.evaluation import evaluate, reestimated
from resx.models.parts.batch_statistics import batch_norms, statistics
from resx.models.parts.layers import may_draw
from resx.seeding import seed_noise
from resx.store.summary import Score
from resx.training.probes import Probe
from resx.training.schedule import is_due, learning_rate
from resx.training.state import State
from resx.training.update import make_update

log = logging.getLogger(__name__)

WARMUP_CHECK = 50  # steps between looks at the error during warmup=error
EVALUATION_PIXELS = 128 * 32**2  # in a batch, or as many images as a training batch has
ON_CUDA = 32  # times as many there, where many small operations take as long as few large ones


class Records(Protocol):
    """Whom a trainer tells of its records and of every step."""

    def record(self, **values: Any) -> None: ...

    def tick(self, step: int) -> None: ...


@dataclass(kw_only=True)
class Trainer:
    """Trains `state.network`; `forward` is the network itself, or its compiled form.

    `graphs` lets CUDA record a step and replay it. `save` gets a checkpoint's content; `stop` is
    asked after every step whether to end early.
    """

    state: State
    forward: nn.Module
    dataset: Dataset
    recipe: RecipeConfig
    seed: int
    precision: str
    tracker: Records
    save: Callable[[dict[str, Any]], None]
    stop: Callable[[], object]
    probes: Sequence[Probe] = ()
    graphs: bool = True

    def fit(self) -> bool:
        """Train up to step `recipe.steps`; False if stopped before.

        Raises FloatingPointError at the first record whose training loss is not finite. What the
        evaluations give is a record, whatever it is: they do not train.
        """
        state, recipe = self.state, self.recipe
        self.forward.train()
        left = recipe.steps - state.step
        inputs = self.dataset.training_inputs(recipe.batch_size, self.seed, state.step + 1, left)
        parts = self.forward, self.dataset, state.optimizer, recipe, self.precision
        # Seeding costs a tenth of a millisecond a step.
        noisy = any(map(may_draw, state.network.modules()))
        update = make_update(*parts, self.graphs)
        started = time.perf_counter() - state.seconds
        for step, given in enumerate(inputs, start=state.step + 1):
            lr = learning_rate(step, recipe, state.warmup_end)
            if noisy:
                seed_noise(self.seed, step, self._first_part())
            images, labels, outcome = update(given, lr)
            state.step, state.statistics = step, {}
            state.totals.add(outcome)
            if state.warmup_end is None:
                watch_warmup(state, outcome, recipe)
            for probe in self.probes:
                if probe.is_due(step):
                    probe(step, state.network, images, labels)
            stopping = bool(self.stop())
            saving = self._is_due(recipe.save_every) or stopping
            if saving or self._is_due(recipe.record_every):
                synchronize(images.device)
                state.seconds = time.perf_counter() - started
                self._record(lr)
                if saving:
                    self.save(state.state_dict())
                started = time.perf_counter() - state.seconds  # evaluations are not training
            self.tracker.tick(step)
            if stopping and step < recipe.steps:
                return False
        return True

    def _first_part(self) -> int:
        """Of the parts of a batch that pass at a time in all processes, this one's first."""
        rank, world = self.dataset.part
        own = self.recipe.batch_size // world
        return rank * (own // (self.recipe.micro_batch or own))

    def _is_due(self, every: int) -> bool:
        return is_due(self.state.step, every, last=self.recipe.steps)

    def _record(self, lr: float) -> None:
        if not self._is_due(self.recipe.record_every):
            return
        loss, error = self.state.totals.take()
        if not math.isfinite(loss):
            raise FloatingPointError(f"training loss is {loss} at step {self.state.step}")
        self._write("train", Score(self.state.step, loss, error), lr)
        if self._is_due(self.recipe.eval_every):
            self._evaluate(lr)

    def _evaluate(self, lr: float) -> None:
        """With batch norm re-estimated; after the last step with its running averages as well."""
        state, recipe = self.state, self.recipe
        if recipe.bn_reestimate == 0 or not batch_norms(state.network):
            scores = self._scores()
        else:
            if state.step == recipe.steps:
                state.running_scores = self._scores()
            with reestimated(
                state.network, self.dataset, recipe, self.seed, state.step, self.precision
            ):
                scores = self._scores()
                state.statistics = statistics(state.network)
        for split, score in scores.items():
            self._write(split, score, lr)

    def _scores(self) -> dict[str, Score]:
        cuda = next(self.state.network.parameters()).is_cuda
        pixels = EVALUATION_PIXELS * (ON_CUDA if cuda else 1)
        size = max(self.recipe.batch_size, pixels // self.dataset.image_size**2)
        scores = {}
        for split in ("train_clean", *(s for s in self.dataset.sizes if s != "train")):
            batches = self.dataset.evaluation_batches(split, size)
            score = evaluate(self.forward, batches, self.precision)
            scores[split] = Score(self.state.step, score.loss, score.error)
        return scores

    def _write(self, split: str, score: Score, lr: float) -> None:
        state = self.state
        state.scores[split] = score
        epoch = state.step * self.recipe.batch_size / self.dataset.sizes["train"]
        self.tracker.record(
            step=state.step,
            epoch=round(epoch, 4),
            split=split,
            loss=score.loss,
            error=score.error,
            lr=lr,
            seconds=round(state.seconds, 3),
        )


def watch_warmup(state: State, outcome: Tensor, recipe: RecipeConfig) -> None:
    """End the warm-up once the running training error is low enough (He 2015, Sec. 4.2).

    Or at its limit: a network that learns nothing at the low rate would never leave it.
    """
    state.recent.add(outcome)
    if recipe.warmup_limit is not None and state.step >= recipe.warmup_limit:
        state.warmup_end = state.step
        log.warning(
            "the warm-up ends at its limit, step %d: the training error is not below %g %%",
            state.step,
            100 * recipe.warmup_error,
        )
        return
    if state.recent.steps == WARMUP_CHECK:
        _, error = state.recent.take()
        if error < recipe.warmup_error:
            state.warmup_end = state.step
