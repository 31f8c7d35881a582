"""`resx train`: one run, found again by its configuration."""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resx.config.composing import Typed
from resx.config.schema import TrainConfig
from resx.errors import RequestError
from resx.store.files import LOG
from resx.store.run import Run
from resx.store.store import Store
from resx.store.summary import Status, Summary
from resx.store.writing import naming

log = logging.getLogger(__name__)


def main(config: TrainConfig, typed: Typed) -> int:
    """0 when the run is finished or diverged, 1 when it failed.

    Raises `RequestError` for a wrong request, KeyboardInterrupt when a signal stopped the run.
    """
    run = Store(config.outputs).run(config)
    summary, damage = run.assess()
    same_images = summary.data_root == config.data.root  # else their fingerprint has to tell
    if summary.status.is_final and damage is None and same_images and not config.force:
        show(summary, run)
        if config.recipe.snapshots and not run.snapshots():
            log.warning("it kept no snapshots when it was trained; force=true trains it again")
        return 0
    from resx.experiment import prepare  # imports torch
    from resx.training.session import refuse_large_batch, refuse_other_images, train_run

    experiment = prepare(config)
    refuse_large_batch(experiment)
    with run.locked(), log_file(run.directory / LOG):
        if not config.force:
            refuse_other_images(experiment.dataset, run)
        run.write_hydra_files(typed.files())
        try:
            summary = train_run(experiment, run, quiet=typed.multirun)
        except BrokenPipeError:  # whoever read the output has left; the run is as it was
            raise
        except (RequestError, OSError) as error:
            note_failure(run, error)
            raise
        except Exception as error:
            log.error("%s", traceback.format_exc())
            note_failure(run, error)
            return 1
    show(summary, run)
    return 0


def show(summary: Summary, run: Run) -> None:
    """The run's result in a few lines, errors in percent."""
    log.info("%s: %s", summary.status, summary.network)
    for split, score in summary.last.items():
        log.info(
            "  %-12s error %6.2f %%   loss %.4f   at step %d",
            split,
            100 * score.error,
            score.loss,
            score.step,
        )
    log.info(
        "  %.0f s of training steps, %.0f images/s", summary.seconds, summary.images_per_second
    )
    log.info("  %s", run.directory)


class RunLog(logging.FileHandler):
    """A file that cannot be written is an error like any other, not a traceback in passing."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's own name)
        with naming(Path(self.baseFilename)):
            raise


@contextmanager
def log_file(path: Path) -> Iterator[None]:
    """Keep in the run directory what is said while the run trains."""
    handler = RunLog(path, errors="backslashreplace")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


def note_failure(run: Run, error: Exception) -> None:
    try:
        failure = f"{type(error).__name__}: {error}"
        run.write_summary(run.summary.but(status=Status.FAILED, failure=failure))
    except OSError as also:  # a full disk is why the run failed in the first place
        log.warning("the failure is not in the summary: %s", also)
