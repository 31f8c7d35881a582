"""Means and deviations over seeds as TensorBoard runs, beside the raw ones."""

import math
import time
from pathlib import Path

import pandas as pd
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from resx.report.labels import network_kind, short


def write_aggregates(
    runs: pd.DataFrame, curves: pd.DataFrame, rows: list[str], directory: Path
) -> None:
    """A TensorBoard run for each network: tags `error/<split>`, `std_of_error/<split>`, in percent.

    TensorBoard sorts tags by name, and would show `error_std` before `error`.

    Replaces the event files that an earlier report wrote there.
    """
    for old in directory.glob("*/events.out.tfevents.*"):
        old.unlink()
    for (*values, residual), group in runs.groupby([*rows, "residual"], dropna=False, sort=True):
        settings = "-".join(f"{short(name)}={value}" for name, value in zip(rows, values))
        folder = directory / f"{network_kind(residual)}-{settings}".replace("/", "_")
        records = curves[curves["directory"].isin(group.index)]
        board = EventFileWriter(str(folder))  # torch's SummaryWriter would bring torch, 3 s
        errors = records.groupby(["split", "step"], sort=True)["error"].agg(["mean", "std"])
        for (split, step), error in (100 * errors).iterrows():
            add_scalar(board, f"error/{split}", error["mean"], step)
            if not math.isnan(error["std"]):  # one seed has no deviation
                add_scalar(board, f"std_of_error/{split}", error["std"], step)
        board.close()


def add_scalar(board: EventFileWriter, tag: str, value: float, step: int) -> None:
    summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
    board.add_event(Event(wall_time=time.time(), step=int(step), summary=summary))
