"""A run's summary, before and after training."""

import time
from typing import Any

from resx.config.run_hash import results_number
from resx.config.schema import NetworkConfig, RecipeConfig
from resx.data.augmentation import Normalization
from resx.data.dataset import Dataset
from resx.device import peak_memory
from resx.environment import environment
from resx.experiment import Experiment
from resx.models.parts.batch_statistics import batch_norms
from resx.models.parts.complexity import flops, parameters
from resx.models.parts.network import Network
from resx.reference import parameter_counts
from resx.store.summary import Status, Summary
from resx.training.state import State


def describe(network: Network, dataset: Dataset) -> str:
    """Which net was built, its size, and whether that is the published one."""
    count = parameters(network)
    published = parameter_counts().get((network.title, len(dataset.classes)))
    if published is None or dataset.channels != 3:
        verdict = "no published count for this variant"
    elif published.parameters == count:
        verdict = f"as published: {published.source}"
    else:
        verdict = f"published: {published.parameters:,} ({published.source})"
    return f"{network.title}: {count:,} parameters ({verdict})"


def describe_micro_batches(network: Network, recipe: RecipeConfig) -> str:
    """What passing a part of the batch at a time changes."""
    micro, ghost = recipe.micro_batch, recipe.bn_batch
    assert micro is not None
    says = f"recipe.micro_batch={micro}: the gradients of {recipe.batch_size // micro} parts a step"
    if not batch_norms(network) or (ghost is not None and micro % ghost == 0):
        return f"{says} are summed up, as accurately as those of the whole batch"
    return (
        f"{says} are summed up; batch norm takes its statistics over {micro} images instead of"
        f" {min(ghost or recipe.batch_size, recipe.batch_size)}, so that results are others"
    )


def first_summary(experiment: Experiment, state: State, hash: str) -> Summary:
    """What is known before the first step, or before the first after a resume."""
    config, dataset, network = experiment.config, experiment.dataset, experiment.network
    return Summary(
        status=Status.RUNNING,
        network=network.title,
        **_asked_for(config),
        hash=hash,
        parameters=parameters(network),
        flops=flops(network, dataset.channels, dataset.image_size),
        data_fingerprint=dataset.fingerprint,
        images=dataset.sizes,
        chance=dataset.chance,
        normalization=_per_channel(dataset.normalization),
        device=str(experiment.device),
        environment=environment(),
        results=results_number(config),
        started=_now(),
        step=state.step,
        last=dict(state.scores),
    )


def concluded(summary: Summary, state: State, status: Status, experiment: Experiment) -> Summary:
    """With what is known afterwards; `final` stays empty unless the last step was reached."""
    images = state.step * experiment.config.recipe.batch_size
    return summary.but(
        status=status,
        step=state.step,
        final=dict(state.scores) if status is Status.FINISHED else {},
        last=dict(state.scores),
        running_statistics=dict(state.running_scores),
        warmup_end=state.warmup_end,
        seconds=round(state.seconds, 3),
        images_per_second=round(images / state.seconds, 1) if state.seconds else 0.0,
        peak_memory=peak_memory(experiment.device),
        ended=_now(),
    )


def _asked_for(config: NetworkConfig) -> dict[str, Any]:
    """The settings that a reader of a summary looks for first."""
    return {
        "model": config.model["name"],
        "depth": config.depth,
        "residual": config.residual,
        "seed": config.seed,
        "precision": config.precision,
        "recipe": config.recipe.name,
        "steps": config.recipe.steps,
        "data": config.data.name,
        "data_root": config.data.root,
    }


def _per_channel(normalization: Normalization) -> dict[str, list[float]]:
    mean, std = normalization
    return {"mean": (mean.mean((0, 1)) if mean.ndim == 3 else mean).tolist(), "std": std.tolist()}


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")
