"""A run of MLflow that mirrors `metrics.jsonl` (https://mlflow.org/docs/latest/ml/tracking)."""

import json
import logging
import textwrap
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.entities import Run as Known
from mlflow.exceptions import MlflowException

from resx.store.claim import refuse_lost
from resx.store.files import MLFLOW
from resx.store.run import Run
from resx.store.summary import Status
from resx.store.writing import replace_text

PAUSE = 2.0  # seconds between transfers: each costs 20 ms, whether of one point or of a hundred
LONG_PAUSE = 30.0  # after one that failed
PATIENCE = 20.0  # seconds that the end of a run waits for the last one
MOST_POINTS, MOST_PARAMS = 1_000, 100  # in a request, as MLflow's servers have it
SQLITE = "sqlite:///"
MOST_WORDS = 200  # characters of a reason
ENDS = {Status.FINISHED: "FINISHED", Status.DIVERGED: "FINISHED", Status.INTERRUPTED: "KILLED"}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Described:
    """What MLflow is told of a run at first; `place` is a tracking URI."""

    place: str
    experiment: str
    name: str
    params: dict[str, str]
    tags: dict[str, str]


class MlflowRun:
    """A `tracking.Board` whose points a thread transfers, so that training never waits for it.

    `mlflow.json` in the run directory has the id, so that a resumed run continues; what MLflow
    lacks of it then, because a kill came first or no server answered, is added from the records.
    MLflow cannot forget points: those that it has of steps which are trained again stay, once.
    """

    def __init__(self, run: Run, described: Described, begun: float, anew: bool) -> None:
        """`begun` is when training would have begun, had it not paused (seconds of the epoch)."""
        self.run, self.described, self.begun = run, described, begun
        self.points: deque[Metric] = deque()
        self.id: str | None = None  # once MLflow has answered
        self.known: dict[str, int] = {}  # the last step that it has of each name
        self.client: MlflowClient
        self.status: Status | None = None
        self.failed = False
        if anew:
            (run.directory / MLFLOW).unlink(missing_ok=True)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def add(self, step: int, seconds: float, scalars: dict[str, float]) -> None:
        moment = round(1000 * (self.begun + seconds))
        self.points.extend(Metric(name, value, moment, step) for name, value in scalars.items())

    def close(self, status: Status) -> None:
        self.status = status
        self._ended.set()
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            log.warning("MLflow has not answered for %.0f s; it lacks the last records", PATIENCE)

    def _work(self) -> None:
        ended = False
        while True:
            try:
                self._transfer()
                self.failed = False
            except Exception as error:  # of a server, a database, a network: training goes on
                self._warn(error)
            if ended:
                return
            ended = self._ended.wait(LONG_PAUSE if self.failed else PAUSE)

    def _transfer(self) -> None:
        refuse_lost(self.run.owner)
        status = self.status  # before the points: after it none will come
        if self.id is None:
            self.id = self._begin()
        while self.points:
            some = [self.points[n] for n in range(min(len(self.points), MOST_POINTS))]
            new = [point for point in some if point.step > self.known.get(point.key, 0)]
            if new:
                self.client.log_batch(self.id, metrics=new)
            for _ in some:
                self.points.popleft()
        if status is not None:
            self.client.set_tag(self.id, "status", status)
            self.client.set_terminated(self.id, ENDS.get(status, "FAILED"))

    def _begin(self) -> str:
        """The id of the run that goes on, or of a new one; both get what they lack."""
        told = self.described
        if told.place.startswith(SQLITE):
            make_database(Path(told.place.removeprefix(SQLITE)))
        self.client = MlflowClient(told.place)
        known = self._found()
        if known is None:
            known = self.client.create_run(self._experiment(), run_name=told.name)
            replace_text(
                self.run.directory / MLFLOW, json.dumps({"run_id": known.info.run_id}) + "\n"
            )
        run_id = str(known.info.run_id)
        self.client.update_run(run_id, status="RUNNING")
        for name in known.data.metrics:
            history = self.client.get_metric_history(run_id, name)
            self.known[name] = max(point.step for point in history)
        self.client.log_batch(run_id, tags=[RunTag(*tag) for tag in told.tags.items()])
        params = [Param(*p) for p in told.params.items() if p[0] not in known.data.params]
        for first in range(0, len(params), MOST_PARAMS):
            self.client.log_batch(run_id, params=params[first : first + MOST_PARAMS])
        return run_id

    def _found(self) -> Known | None:
        """None if there is none yet, or MLflow has it no more, or another MLflow is asked now."""
        try:
            noted = json.loads((self.run.directory / MLFLOW).read_bytes())
            found = self.client.get_run(str(noted["run_id"]))
        except (FileNotFoundError, ValueError, LookupError, TypeError):
            return None
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
        return found if found.info.lifecycle_stage == "active" else None

    def _experiment(self) -> str:
        """Its id; of two processes that begin one, the other may be the first."""
        name = self.described.experiment
        found = self.client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(self.client.create_experiment(name))
            except MlflowException:
                found = self.client.get_experiment_by_name(name)
                if found is None:
                    raise
        return str(found.experiment_id)

    def _warn(self, error: Exception) -> None:
        """Once, until it works again."""
        if not self.failed:
            reason = textwrap.shorten(f"{type(error).__name__}: {error}", MOST_WORDS)
            log.warning("MLflow: %s; training goes on, metrics.jsonl has the records", reason)
        self.failed = True


def make_database(path: Path) -> None:
    """If there is none; aside, and renamed.

    MLflow itself would let two processes make one at once, and one that is killed leave half of it
    behind, which no other can use.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        if not path.exists():
            fresh = path.with_name(f"{path.name}.tmp")
            fresh.unlink(missing_ok=True)
            MlflowClient(f"{SQLITE}{fresh}").search_experiments(max_results=1)
            fresh.replace(path)
