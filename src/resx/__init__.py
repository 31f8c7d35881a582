"""resx: why do deep plain networks train worse, and what do residual connections change?

    import resx

    runs = resx.runs("outputs")                     # a table: one row a run
    run = resx.open_run(runs.index[0])              # its curves, summary, configuration
    experiment = run.experiment()                   # dataset and trained network
    network = resx.build("resnet", depth=56, residual=False, num_classes=10)

Nothing heavy is imported before it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resx.api import build, configure, evaluate, runs, train
    from resx.config.schema import TrainConfig
    from resx.evaluation import EvaluationScore
    from resx.experiment import Experiment, StoredRun, open_run, prepare
    from resx.models.parts.network import Network
    from resx.store.summary import Score, Status, Summary

__version__ = "0.1.0"

_NAMES = {
    "resx.api": ("build", "configure", "evaluate", "runs", "train"),
    "resx.experiment": ("Experiment", "StoredRun", "open_run", "prepare"),
    "resx.evaluation": ("EvaluationScore",),
    "resx.models.parts.network": ("Network",),
    "resx.store.summary": ("Score", "Status", "Summary"),
    "resx.config.schema": ("TrainConfig",),
}
_PLACES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "EvaluationScore",
    "Experiment",
    "Network",
    "Score",
    "Status",
    "StoredRun",
    "Summary",
    "TrainConfig",
    "build",
    "configure",
    "evaluate",
    "open_run",
    "prepare",
    "runs",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'resx' has no attribute '{name}'")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
