"""From what is left of a run to the state that its training goes on from."""

import logging
from pathlib import Path
from typing import Any

from resx.config.schema import RecipeConfig, TrainConfig
from resx.data.dataset import Dataset
from resx.errors import DamagedError, RequestError
from resx.experiment import Experiment
from resx.store import checkpoint
from resx.store.records import Record
from resx.store.run import Run
from resx.store.saved import step_of
from resx.training.saved_state import refuse_misfit
from resx.training.schedule import is_due
from resx.training.state import State

log = logging.getLogger(__name__)


def go_on(experiment: Experiment, run: Run) -> State:
    """The newest checkpoint that is whole, as are the records up to it; else the start.

    What is damaged is named, and a run that cannot be repaired is moved aside, whole. Raises
    `RequestError` if the checkpoint is of another run.
    """
    config = experiment.config
    assert isinstance(config, TrainConfig)
    state = State.start(experiment.network, config.recipe, config.depth)
    if config.force:
        run.clear()
        return state
    _, summary_damage = run.assess()
    records, records_damage = run.whole_records()
    damages = [damage for damage in (summary_damage, records_damage) if damage is not None]
    for path, saved in checkpoint.newest(run.directory):
        if isinstance(saved, DamagedError):
            damages.append(saved)
            continue
        if saved.get("identity") != run.hash:
            raise RequestError(
                f"{run.directory}: its checkpoint is of another run; force=true starts anew"
            )
        try:
            refuse_misfit(saved["state"], state, config.recipe)
            refuse_hole(records, run.records_path, config.recipe, experiment.dataset, saved)
        except DamagedError as damage:
            damages.append(damage)
        except ValueError as error:
            damages.append(DamagedError(path, f"is damaged: {error}"))
        else:
            _say(damages, f"repaired from {path.name} of step {step_of(saved)}")
            state.load_state_dict(saved["state"])
            return state
    if damages:
        _say(damages, "trained from the start")
        run.move_aside("damaged")
    else:
        run.clear()  # records without a checkpoint cannot be gone on from
    return state


def refuse_hole(
    records: list[Record],
    path: Path,
    recipe: RecipeConfig,
    dataset: Dataset,
    saved: dict[str, Any],
) -> None:
    """Raises `DamagedError` if a record that training wrote before this checkpoint is not there."""
    step = step_of(saved)
    found = {(record["split"], record["step"]) for record in records}
    evaluated = ["train_clean", *(split for split in dataset.sizes if split != "train")]
    last = recipe.steps
    for at in range(1, step + 1):
        if is_due(at, recipe.record_every, last):
            due = evaluated if is_due(at, recipe.eval_every, last) else []
            for split in ("train", *due):
                if (split, at) not in found:
                    raise DamagedError(path, f"is damaged: no record of {split} at step {at}")


def _say(damages: list[DamagedError], remedy: str) -> None:
    for damage in dict.fromkeys(map(str, damages)):
        log.warning("%s; %s", damage, remedy)
