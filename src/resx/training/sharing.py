"""One run on several processes: which run it is, and what all but the first do of it."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from resx.config.schema import NetworkConfig, TrainConfig
from resx.data.dataset import Dataset
from resx.distributed import (
    agreed,
    from_first,
    joined,
    packed,
    part,
    received_from_first,
    telling,
    unpacked,
)
from resx.errors import RequestError
from resx.experiment import prepare
from resx.interruption import stop_signals
from resx.models.building import build_network, compiled
from resx.models.parts.batch_statistics import batch_norms
from resx.models.parts.layers import draws_numbers, may_draw
from resx.models.parts.network import Network
from resx.models.parts.shared_statistics import share_statistics
from resx.training.memory import refuse_large_step
from resx.training.state import State
from resx.training.trainer import Trainer

log = logging.getLogger(__name__)

Tell = Callable[[object], None]
OVER = "over"  # told instead of a state if nothing is left to train after all


def together(
    config: TrainConfig,
    is_over: Callable[[TrainConfig], bool],
    train: Callable[[TrainConfig, Tell], int],
) -> int:
    """The exit code of a run that several processes share.

    The first one alone looks whether it `is_over`, and is the one that does `train`, and so writes;
    `train` tells the others the state that training begins from (`told`). Raises what they raise.
    """
    with joined(config.device) as (rank, world):
        config = from_first(lambda: shared(config, world))
        if from_first(lambda: is_over(config)):
            return 0
        if rank:
            return train_along(config)
        with telling() as tell:
            code = train(config, tell)
            tell(OVER)  # unless it has told of a start
            return code


def shared(config: TrainConfig, world: int) -> TrainConfig:
    """The run that `world` processes make: with sums in another order that of one process.

    Each passes its part of the batch alone, so that a network whose images see each other, or that
    draws numbers for them, is trained as with `recipe.micro_batch` of that size. Raises
    `RequestError` for a batch that cannot be shared.
    """
    recipe = config.recipe
    own, rest = divmod(recipe.batch_size, world)
    if rest:
        raise RequestError(
            f"recipe.batch_size={recipe.batch_size}: no multiple of {world} processes"
        )
    micro = recipe.micro_batch
    if micro is not None and own % micro == 0:
        return config
    if micro is not None and micro < own:
        raise RequestError(f"recipe.micro_batch={micro}: must divide {own}, the part of a process")
    data = config.data
    shape = data.classes or 2, data.channels, data.image_size
    network = build_network(config, *shape, torch.device("meta"))
    draws = any(map(draws_numbers, network.modules()))
    may = any(map(may_draw, network.modules()))  # of a network from outside one cannot know
    sees = bool(batch_norms(network)) and not (recipe.bn_batch and own % recipe.bn_batch == 0)
    if not (may or sees):
        return config
    if micro is not None:
        raise RequestError(f"recipe.micro_batch={micro}: more than {own}, the part of a process")
    if not config.sync_batch_norm:
        return replace(config, recipe=replace(recipe, micro_batch=own))
    if draws:
        raise RequestError("sync_batch_norm=true: not with dropout, which each process draws alone")
    if recipe.bn_batch:
        raise RequestError(
            f"recipe.bn_batch={recipe.bn_batch}: must divide {own}, the part of a process"
        )
    return config


def share(network: Network, config: NetworkConfig) -> None:
    """Batch norm over the images of all processes, where `shared` lets it be."""
    recipe = config.recipe
    parts_see_each_other = recipe.micro_batch is None and recipe.bn_batch is None
    if part().world > 1 and config.sync_batch_norm and parts_see_each_other:
        share_statistics(network)


def train_along(config: TrainConfig) -> int:
    """What a process that is not the first does: all of the training, and none of the writing.

    Raises KeyboardInterrupt when any process was asked to stop.
    """
    experiment = prepare(config)
    refuse_large_step(experiment)
    share(experiment.network, config)
    told = received_from_first()
    if told == OVER:
        return 0
    images, before = told
    if images != experiment.dataset.fingerprint:
        raise RequestError("not all processes have the same images; their data.root differs")
    state = State.start(experiment.network, config.recipe, config.depth)
    if before is not None:
        state.load_state_dict(unpacked(before))
    with stop_signals() as stopped:
        trainer = Trainer(
            state=state,
            forward=compiled(experiment.network, config.compile),
            dataset=experiment.dataset,
            recipe=config.recipe,
            seed=config.seed,
            precision=config.precision,
            tracker=Silent(),
            save=lambda values: None,
            stop=agreed(stopped),
        )
        try:
            finished = trainer.fit()
        except FloatingPointError:
            return 0
    if not finished:
        raise KeyboardInterrupt
    return 0


def told(state: State, dataset: Dataset) -> tuple[str, bytes | None]:
    """Which images it is trained on, and what to go on from: None for the start, as all find it."""
    return dataset.fingerprint, packed(state.state_dict()) if state.step else None


class Silent:
    """Whom all but the first process tell of their records."""

    def record(self, **values: Any) -> None:
        """The first one writes it."""

    def tick(self, step: int) -> None:
        """The first one shows it."""
