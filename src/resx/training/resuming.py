"""From what is left of a run to the state that its training goes on from."""

import logging

from resx.config.schema import TrainConfig
from resx.errors import DamagedError, RequestError
from resx.experiment import Experiment
from resx.store import checkpoint
from resx.store.records import refuse_other
from resx.store.run import Run
from resx.store.saved import step_of
from resx.training.saved_state import refuse_misfit
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
    _, records_damage = run.whole_records()
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
            if "records" in saved:  # version 0.1 knew none
                refuse_other(run.records_path, saved["records"])
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


def _say(damages: list[DamagedError], remedy: str) -> None:
    for damage in dict.fromkeys(map(str, damages)):
        log.warning("%s; %s", damage, remedy)
