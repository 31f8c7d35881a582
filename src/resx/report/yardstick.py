"""By which of their numbers runs are judged, and the arms that inference compares."""

import math
from dataclasses import dataclass, replace

import pandas as pd

from resx.config.schema import StudyConfig
from resx.errors import RequestError
from resx.inference import Arm, Rules
from resx.report.measures import (
    CLEAN_ERROR,
    CLEAN_LOSS,
    TEST_ERROR,
    TEST_LOSS,
    Measure,
    has_ended,
)
from resx.statistics import refuse_twice
from resx.store.summary import Status

EARLY_ERROR = Measure("early_error", "Training error, running mean, early")
EARLY_LOSS = Measure("early_loss", "Training loss, running mean, early", is_error=False)


@dataclass(frozen=True)
class Yardstick:
    """What verdicts rest on: `error` and `loss` of the training images, and the `rules`.

    `name` is what sentences call the error. `images` is over how many it is taken, if not over all.
    """

    rules: Rules
    error: Measure = CLEAN_ERROR
    loss: Measure = CLEAN_LOSS
    name: str = "clean training error"
    images: int | None = None

    def arm(self, runs: pd.DataFrame) -> Arm:
        """The training errors and losses of one network's runs that have ended, by seed."""
        images = self.images or int(runs["images"].max())
        return arm_of(runs, self.error, self.loss, images)

    @property
    def of_the_end(self) -> "Yardstick":
        """By the clean error of the last step, beside which the test error of that step stands."""
        return Yardstick(replace(self.rules, by_loss=False))

    def test_arm(self, runs: pd.DataFrame) -> Arm:
        return arm_of(runs, TEST_ERROR, TEST_LOSS, int(runs["test_images"].max()))


def arm_of(runs: pd.DataFrame, error: Measure, loss: Measure, images: int) -> Arm:
    """None stands for a run that diverged; one without this number is left out.

    Raises `RequestError` if a seed stands twice.
    """
    refuse_twice(runs)
    ended = runs[has_ended(runs)].sort_values("seed")
    diverged = ended["status"] == Status.DIVERGED
    ended = ended[diverged | ended[error.column].notna()]
    errors, losses = (
        [
            None if lost else float(value)
            for value, lost in zip(ended[m.column], diverged[ended.index])
        ]
        for m in (error, loss)
    )
    # Of a run that has its error, a loss that is not a number is worse than any, and not unknown.
    losses = [math.inf if v is not None and math.isnan(v) else v for v in losses]
    return Arm(errors, images, losses)


def yardstick_of(
    runs: pd.DataFrame, curves: pd.DataFrame, study: StudyConfig
) -> tuple[pd.DataFrame, Yardstick]:
    """The runs, with a column more if they are judged early, and how they are judged.

    Raises `RequestError` if no run has a record at the step that `study.at_step` names.
    """
    if study.measure != "early":
        return runs, yardstick_for(runs, study)
    records = curves[(curves["split"] == "train") & (curves["step"] == study.at_step)]
    if records.empty:
        raise RequestError(f"study.at_step={study.at_step}: no run has a record of that step")
    early = records.set_index("directory")
    runs = runs.assign(**{EARLY_ERROR.column: early["error"], EARLY_LOSS.column: early["loss"]})
    return runs, yardstick_for(runs, study)


def yardstick_for(runs: pd.DataFrame, study: StudyConfig) -> Yardstick:
    """How runs of one data set are judged; `chance` and images are its own."""
    chance = float(runs["chance"].max())
    rules = Rules(chance, study.margin, study.ratio, by_loss=study.measure == "loss")
    if study.measure != "early":
        return Yardstick(rules)
    # A running mean is over the batches since the record before.
    seen = int((runs["recipe.record_every"] * runs["recipe.batch_size"]).min())
    name = f"running training error at step {study.at_step}"
    return Yardstick(rules, EARLY_ERROR, EARLY_LOSS, name, seen)
