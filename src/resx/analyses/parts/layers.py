"""The layers with weights of a module, and the normalisation that belongs to them."""

from torch import Tensor, nn

BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm, nn.GroupNorm)


def batch_norms(network: nn.Module) -> list[BatchNorm]:
    return [module for module in network.modules() if isinstance(module, BatchNorm)]


def norm_of(network: nn.Module) -> str:
    """`batch`, `layer`, or `none`, whatever its family calls the option."""
    if batch_norms(network):
        return "batch"
    layer = any(isinstance(module, nn.LayerNorm) for module in network.modules())
    return "layer" if layer else "none"


def leaves(module: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules without modules of their own, by name, in the order of registration."""
    return [(name, m) for name, m in module.named_modules() if not list(m.children())]


def has_weights(module: nn.Module) -> bool:
    """Is it a convolution or a linear layer? A norm has one weight a channel."""
    weight = getattr(module, "weight", None)
    return isinstance(weight, Tensor) and weight.ndim > 1


def weighted_layers(module: nn.Module) -> int:
    """Convolutions and linear layers."""
    return sum(map(has_weights, module.modules()))


def layers_of(branch: nn.Module) -> list[tuple[str, nn.Module]]:
    """Where each layer with weights of a branch has its response: the layer, or the norm after it.

    In the order of registration, in which the branches of all families run.
    """
    found = leaves(branch)
    return [
        (name, after if isinstance(after, NORMS) else layer)
        for (name, layer), (_, after) in zip(found, [*found[1:], ("", nn.Identity())])
        if has_weights(layer)
    ]
