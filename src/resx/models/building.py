"""From a configuration to a network with its first weights."""

from contextlib import nullcontext

import torch
from torch import nn

from resx.config.components import build
from resx.config.schema import NetworkConfig
from resx.models.parts.checkpointing import checkpoint_activations
from resx.models.parts.initialization import initialize
from resx.models.parts.layers import Network


def build_network(
    config: NetworkConfig,
    num_classes: int,
    in_channels: int,
    image_size: int,
    device: torch.device,
) -> Network:
    """In channels_last memory on `device`; equal seeds give equal weights on every device.

    Raises `RequestError` for a depth, block or option that the family does not have.
    """
    on_meta = device.type == "meta"  # only sizes are wanted: no memory, no weights
    with device if on_meta else nullcontext():
        network: Network = build(
            config.model,
            config.trust,
            "model",
            num_classes=num_classes,
            in_channels=in_channels,
            image_size=image_size,
        )
    if not on_meta:
        initialize(network, config.seed)
    if config.checkpoint_activations:
        checkpoint_activations(network)
    return network.to(device).to(memory_format=torch.channels_last)


def compiled(network: nn.Module, enabled: bool) -> nn.Module:
    """The form that is called; parameters keep their names in `network`."""
    return torch.compile(network) if enabled else network  # type: ignore[return-value]
