"""`resx train`: one run, found again by its configuration."""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from resx.config.schema import TrainConfig
from resx.errors import RequestError
from resx.store.run import Run

log = logging.getLogger(__name__)


def main(config: TrainConfig, composed: DictConfig) -> int:
    """0 when the run is finished or diverged, 1 when it failed.

    Raises `RequestError` for a wrong request, KeyboardInterrupt when a signal stopped the run.
    """
    run = Run(config.run_dir)
    summary = run.read_summary()
    if run.is_final() and summary["data_root"] == config.data.root and not config.force:
        show(summary, run)
        return 0
    from resx.training.session import prepare, refuse_other_images, train_run  # imports torch

    prepared = prepare(config)
    with run.locked(), log_file(run.directory / "train.log"):
        if not config.force:
            refuse_other_images(prepared.dataset, run)
        save_hydra_files(run.directory / ".hydra", composed)
        try:
            quiet = HydraConfig.get().mode == RunMode.MULTIRUN
            summary = train_run(prepared, config, run, quiet)
        except (RequestError, OSError) as error:
            note_failure(run, error)
            raise
        except Exception as error:
            log.error("%s", traceback.format_exc())
            note_failure(run, error)
            return 1
    show(summary, run)
    return 0


def show(summary: dict[str, Any], run: Run) -> None:
    """The run's result in a few lines, errors in percent."""
    log.info("%s: %s", summary["status"], summary["network"])
    for split, score in summary["last"].items():
        log.info(
            "  %-12s error %6.2f %%   loss %.4f   at step %d",
            split,
            100 * score["error"],
            score["loss"],
            score["step"],
        )
    rate = summary["images_per_second"]
    log.info("  %.0f s of training steps, %.0f images/s", summary["seconds"], rate)
    log.info("  %s", run.directory)


@contextmanager
def log_file(path: Path) -> Iterator[None]:
    """Keep in the run directory what is said while the run trains."""
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


def save_hydra_files(directory: Path, composed: DictConfig) -> None:
    """What Hydra itself would write: its own configuration, ours, and what was typed."""
    hydra = HydraConfig.instance().cfg
    assert hydra is not None
    directory.mkdir(exist_ok=True)
    OmegaConf.save(composed, directory / "config.yaml")
    OmegaConf.save(hydra, directory / "hydra.yaml")
    OmegaConf.save(HydraConfig.get().overrides.task, directory / "overrides.yaml")


def note_failure(run: Run, error: Exception) -> None:
    try:
        run.write_summary(status="failed", failure=f"{type(error).__name__}: {error}")
    except OSError as also:  # a full disk is why the run failed in the first place
        log.warning("the failure is not in the summary: %s", also)
