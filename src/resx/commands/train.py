"""`resx train`: one run, found again by its configuration."""

import logging
import math
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from resx.config.composing import Typed
from resx.config.plugins import refuse_missing_tracker
from resx.config.schema import TrainConfig
from resx.errors import RequestError
from resx.process import is_first, several
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
    if config.objective.startswith("test/") and is_first():
        log.warning("objective=%s: the test images choose; val/ is for that", config.objective)
    if several():
        from resx.training.sharing import together

        return together(config, is_over, lambda config, tell: train(config, typed, tell))
    return 0 if is_over(config) else train(config, typed)


def is_over(config: TrainConfig) -> bool:
    """Whether nothing is left to train; then shows what came of it."""
    run = Store(config.outputs).run(config)
    summary, damage = run.assess()
    same_images = summary.data_root == config.data.root  # else their fingerprint has to tell
    if not summary.status.is_final or damage is not None or not same_images or config.force:
        return False
    show(summary, run)
    if config.recipe.snapshots and not run.snapshots():
        log.warning("it kept no snapshots when it was trained; force=true trains it again")
    return True


def train(
    config: TrainConfig, typed: Typed, tell: Callable[[object], None] = lambda state: None
) -> int:
    """As `main`, of a run that is not over; `tell` reaches the processes that share it."""
    refuse_missing_tracker(config.tracker)
    from resx.experiment import prepare  # imports torch
    from resx.training.memory import refuse_large_step
    from resx.training.session import refuse_large_batch, refuse_other_images, train_run
    from resx.training.sharing import share, told

    run = Store(config.outputs).run(config)
    experiment = prepare(config)
    refuse_large_batch(experiment)
    refuse_large_step(experiment)
    share(experiment.network, config)
    with run.locked(), log_file(run.directory / LOG):
        if not config.force:
            refuse_other_images(experiment.dataset, run)
        run.write_hydra_files(typed.files())
        try:
            summary = train_run(
                experiment,
                run,
                quiet=typed.multirun,
                begin=lambda state: tell(told(state, experiment.dataset)),
            )
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


def objective(config: TrainConfig) -> float | None:
    """What a sweeper is to make small; infinite of a run that diverged, None of one not trained."""
    summary = Store(config.outputs).run(config).summary
    if summary.status is Status.DIVERGED:
        return math.inf
    split, _, measure = config.objective.partition("/")
    score = summary.final.get(split)
    return None if score is None else float(getattr(score, measure))


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
        with naming(path):  # what could not be written is tried again
            handler.close()


def note_failure(run: Run, error: Exception) -> None:
    try:
        failure = f"{type(error).__name__}: {error}"
        run.write_summary(run.summary.but(status=Status.FAILED, failure=failure))
    except OSError as also:  # a full disk is why the run failed in the first place
        log.warning("the failure is not in the summary: %s", also)
