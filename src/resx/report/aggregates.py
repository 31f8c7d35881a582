"""Means and deviations over seeds as TensorBoard runs, beside the raw ones."""

from pathlib import Path

import pandas as pd
from torch.utils.tensorboard import SummaryWriter

from resx.report.tables import short


def write_aggregates(
    runs: pd.DataFrame, curves: pd.DataFrame, rows: list[str], directory: Path
) -> list[Path]:
    """One TensorBoard run for each network: tags `error/<split>` and `error_std/<split>`, percent.

    Replaces the event files that an earlier report wrote there.
    """
    for old in directory.glob("*/events.out.tfevents.*"):
        old.unlink()
    written = []
    for key, group in runs.groupby([*rows, "residual"], dropna=False, sort=True):
        *values, residual = key if isinstance(key, tuple) else (key,)
        settings = "-".join(f"{short(n)}={v}" for n, v in zip(rows, values))
        place = directory / f"{'residual' if residual else 'plain'}-{settings}".replace("/", "_")
        mine = curves[curves["directory"].isin(group.index)]
        with SummaryWriter(place) as board:
            for (split, step), records in mine.groupby(["split", "step"], sort=True):
                errors = 100 * records["error"]
                board.add_scalar(f"error/{split}", errors.mean(), int(step))
                if len(errors) > 1:
                    board.add_scalar(f"error_std/{split}", errors.std(), int(step))
        written.append(place)
    return written
