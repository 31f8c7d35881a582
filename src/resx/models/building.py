"""From a configuration to a network with its first weights."""

from contextlib import nullcontext

import torch
from torch import Tensor, nn

from resx.config.components import build, is_own, with_full_name
from resx.config.schema import NetworkConfig
from resx.errors import RequestError
from resx.models.parts.batch_statistics import use_ghost_batches
from resx.models.parts.checkpointing import checkpoint_activations
from resx.models.parts.foreign import refuse_other_shapes
from resx.models.parts.initialization import initialize
from resx.models.parts.network import (
    Network,
    Spec,
    refuse_incomplete,
    refuse_other_output,
)


def build_network(
    config: NetworkConfig,
    num_classes: int,
    in_channels: int,
    image_size: int,
    device: torch.device,
) -> Network:
    """On `device`, in the memory layout of its choice; equal seeds give equal weights everywhere.

    Raises `RequestError` for a depth, block or option that the family does not have.
    """
    spec = Spec(
        depth=config.depth,
        residual=config.residual,
        block=config.block,
        layout=config.layout,
        num_classes=num_classes,
        in_channels=in_channels,
        image_size=image_size,
    )
    on_meta = device.type == "meta"  # only sizes are wanted: no memory, no weights
    with device if on_meta else nullcontext():
        network = _call_family(config, spec)
    try:
        refuse_incomplete(network)
        if not on_meta:
            initialize(network, config.seed)
        if not (on_meta or is_own(config.model)):
            refuse_other_output(network, spec)
    except ValueError as error:
        raise RequestError(f"model._target_={config.model['_target_']}: {error}") from error
    if config.recipe.bn_batch is not None:
        use_ghost_batches(network, config.recipe.bn_batch)
    if config.checkpoint_activations:
        checkpoint_activations(network)
    return network.to(device).arrange()


def refuse_other_network(
    config: NetworkConfig,
    num_classes: int,
    in_channels: int,
    image_size: int,
    weights: dict[str, Tensor],
) -> None:
    """Raises `RequestError` unless the weights are of this network, however large; builds none."""
    shape = num_classes, in_channels, image_size
    try:
        network = build_network(config, *shape, torch.device("meta"))
    except (RuntimeError, OverflowError, TypeError) as error:  # sizes that no tensor can have
        raise RequestError(f"no such network: {str(error).splitlines()[0]}") from error
    refuse_other_shapes(network, weights, "resx")


def _call_family(config: NetworkConfig, spec: Spec) -> Network:
    try:
        return build(config.model, "model", Network, config.trust, spec=spec)
    except RequestError as error:  # the size of the images is no setting of the model
        raise RequestError(with_full_name(str(error), "data", ("image_size",))) from error


def compiled(network: nn.Module, enabled: bool) -> nn.Module:
    """The form that is called; parameters keep their names in `network`."""
    return torch.compile(network) if enabled else network  # type: ignore[return-value]
