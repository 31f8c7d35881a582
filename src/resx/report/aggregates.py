"""Means and deviations over seeds as TensorBoard runs, beside the raw ones."""

from pathlib import Path

import pandas as pd
from torch.utils.tensorboard import SummaryWriter

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
        with SummaryWriter(folder) as board:
            for (split, step), seeds in records.groupby(["split", "step"], sort=True):
                errors = 100 * seeds["error"]
                board.add_scalar(f"error/{split}", errors.mean(), int(step))
                if len(errors) > 1:  # one seed has no deviation
                    board.add_scalar(f"std_of_error/{split}", errors.std(), int(step))
