"""Where records go: metrics.jsonl, an experiment tracker, and the person who watches."""

import logging
from typing import Any, Protocol

from tqdm import tqdm

from resx.store.run import Run
from resx.store.summary import Status

log = logging.getLogger(__name__)


class Board(Protocol):
    """An experiment tracker's side of one run; it leaves out the steps that it already has."""

    def add(self, step: int, seconds: float, scalars: dict[str, float]) -> None: ...

    def close(self, status: Status) -> None:
        """`status` is how this session of training ended."""


class Tracker:
    """Writes every record three times; a bar with the time left on a terminal, else lines."""

    def __init__(
        self,
        run: Run,
        board: Board,
        first_step: int,
        steps: int,
        batch_size: int,
        label: str,
        quiet: bool,
    ) -> None:
        """`first_step` is the step that training goes on with: later records are forgotten."""
        self.run, self.board, self.batch_size, self.label = run, board, batch_size, label
        self.steps = steps
        self.last: tuple[int, float] | None = None  # step and seconds of the last record
        run.rewind(first_step - 1)
        for record in run.whole_records()[0]:  # the board may be new to this run
            self._add(record)
        self.bar = tqdm(
            total=steps,
            initial=first_step - 1,
            desc=label,
            unit="step",
            disable=True if quiet else None,
            dynamic_ncols=True,
        )

    def record(self, **values: Any) -> None:
        """One record: step, epoch, split, loss, error (a fraction), lr, seconds."""
        self.run.record(**values)
        speed = self._add(values).get("speed/images_per_second")
        split, percent = values["split"], 100 * values["error"]
        if self.bar.disable or split != "train":
            log.info(
                "%s  step %d/%d  %-11s  error %6.2f %%  loss %.4f  lr %.4g%s",
                self.label,
                values["step"],
                self.steps,
                split,
                percent,
                values["loss"],
                values["lr"],
                "" if speed is None else f"  {speed:.0f} images/s",
            )
        self.bar.set_postfix_str(f"{split} error {percent:.2f} %", refresh=False)

    def _add(self, record: dict[str, Any]) -> dict[str, float]:
        """To the board; returns what was added, by name, errors in percent."""
        step, split, seconds = record["step"], record["split"], record["seconds"]
        scalars = {f"error/{split}": 100 * record["error"], f"loss/{split}": record["loss"]}
        if split == "train":
            scalars["lr"] = record["lr"]
            if (speed := self._speed(step, seconds)) is not None:
                scalars["speed/images_per_second"] = speed
        self.board.add(step, seconds, scalars)
        return scalars

    def _speed(self, step: int, seconds: float) -> float | None:
        """Images a second since the last record, if there was one."""
        before, self.last = self.last, (step, seconds)
        if before is None or seconds <= before[1]:
            return None
        last_step, last_seconds = before
        return (step - last_step) * self.batch_size / (seconds - last_seconds)

    def tick(self, step: int) -> None:
        self.bar.update(step - self.bar.n)

    def close(self, status: Status) -> None:
        self.bar.close()
        self.board.close(status)
