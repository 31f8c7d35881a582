"""What a report compares: errors and losses of the last step, of the runs that have ended."""

from dataclasses import dataclass

import pandas as pd

from resx.store.summary import Status


@dataclass(frozen=True)
class Measure:
    """A column of the runs: an error (a fraction, shown in percent) or a loss.

    `published` is the split whose figures a paper prints for it, None where papers print none.
    """

    column: str
    heading: str
    published: str | None = None
    is_error: bool = True

    @property
    def unit(self) -> str:
        return "%" if self.is_error else ""

    def show(self, value: float) -> str:
        """`12.34` (percent) for an error, `0.1234` for a loss."""
        return f"{100 * value:.2f}" if self.is_error else f"{value:.4g}"

    def show_difference(self, value: float) -> str:
        """`+1.23` (points) for errors; losses are compared as ratios: `3.3`."""
        points = round(100 * value, 2) + 0.0  # no -0.00
        return f"{points:+.2f}" if self.is_error else f"{value:.3g}"

    @property
    def of_error(self) -> "Measure":
        """Itself, or the error of the same images that a loss goes with."""
        if self.is_error:
            return self
        column, heading = (name.replace("loss", "error") for name in (self.column, self.heading))
        return Measure(column, heading)


def has_ended(runs: pd.DataFrame) -> "pd.Series[bool]":
    """Which runs are finished or diverged; only these are results."""
    return runs["status"].isin([status for status in Status if status.is_final])


CLEAN_ERROR = Measure("train_clean_error", "Training error, clean pass")
RUNNING_ERROR = Measure("train_error", "Training error, running mean", published="train")
TEST_ERROR = Measure("test_error", "Test error", published="test")
CLEAN_LOSS = Measure("train_clean_loss", "Training loss, clean pass", is_error=False)
TEST_LOSS = Measure("test_loss", "Test loss", is_error=False)
MEASURES = (CLEAN_ERROR, RUNNING_ERROR, TEST_ERROR, CLEAN_LOSS, TEST_LOSS)
