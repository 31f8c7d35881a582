"""State dicts of other projects, read and written: torchvision's, akamaster's CIFAR resnets."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from resx.config.schema import NetworkConfig
from resx.errors import RequestError
from resx.models.parts.exports import made_of
from resx.models.parts.layers import ZeroPadShortcut
from resx.models.parts.network import Network

WEIGHT_KEYS = ("state_dict", "model")  # where a training script's checkpoint keeps the weights
LAST = {"fc": "torchvision", "linear": "akamaster"}  # the last layer tells whose names they are
LAST |= {"classifier": "torchvision", "heads.head": "torchvision"}  # a DenseNet's, a ViT's
# What both were trained with: ImageNet's colour mean and standard deviation in [0, 1].
FOREIGN_COLOURS: dict[str, Any] = {
    "normalize": "given",
    "mean": [0.485, 0.456, 0.406],
    "std": [0.229, 0.224, 0.225],
}


def bare(loaded: dict[str, Any]) -> dict[str, Tensor]:
    """The tensors by name, out of a checkpoint or not, without a `module.` prefix.

    Raises `RequestError` if there are none.
    """
    for key in WEIGHT_KEYS:
        if isinstance(loaded.get(key), dict):
            loaded = loaded[key]
    tensors = {_renamed(k): v for k, v in loaded.items() if isinstance(v, Tensor)}
    if not tensors or len(tensors) < len(loaded):
        raise RequestError("the file holds no state dict (names with tensors)")
    return tensors


def _renamed(name: str) -> str:
    """Without `module.`, and with the names that torchvision itself gives to its older files."""
    name = name.removeprefix("module.")
    name = re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12])\.", r"\1\2.", name)
    return name.replace(".mlp.linear_1.", ".mlp.0.").replace(".mlp.linear_2.", ".mlp.3.")


def detect(weights: dict[str, Tensor]) -> str:
    """`torchvision` or `akamaster` by the name of the last layer, else `resx`."""
    return next((n for last, n in LAST.items() if f"{last}.weight" in weights), "resx")


def of_colour(weights: dict[str, Tensor]) -> bool:
    """Whether the first convolution is of images of three channels."""
    return next((w.shape[1] == 3 for w in weights.values() if w.ndim == 4), True)


def names_of(network: Network, naming: str) -> dict[str, str]:
    """What the project `naming` calls every weight of ours.

    Raises `RequestError` if it has no such network.
    """
    if naming == "resx":
        return {name: name for name in network.state_dict()}
    if naming not in network.foreign:
        own = ", ".join(["resx", *network.foreign])
        why = network.absent.get(naming, "it has no such family")
        raise RequestError(
            f"naming={naming}: {network.title} is not in it, only in {own}, because {why}"
        )
    return {name: network.foreign[naming](name) for name in network.state_dict()}


def export_weights(network: Network, naming: str) -> dict[str, Tensor]:
    """The state dict as the project `naming` would have it; the inverse of `load_weights`."""
    names, state = names_of(network, naming), network.state_dict()
    if naming == "akamaster":
        state = _reordered(network, state, torch.argsort)
    return {names[key]: value for key, value in state.items()}


def load_weights(network: Network, weights: dict[str, Tensor], naming: str) -> None:
    """Raises `RequestError`, naming the first difference, for weights of another architecture."""
    refuse_other_shapes(network, weights, naming)
    state, names = network.state_dict(), names_of(network, naming)
    found = {k: weights[names[k]] for k in state if names[k] in weights}
    if naming == "akamaster":
        found = _reordered(network, found, lambda order: order)
    network.load_state_dict(state | found)


def refuse_other_shapes(network: Network, weights: dict[str, Tensor], naming: str) -> None:
    """Raises `RequestError`, naming the first difference; the network needs no memory."""
    state = network.state_dict()
    names = names_of(network, naming)
    counters = {k for k in state if k.endswith("num_batches_tracked")}  # absent in old files
    missing = [k for k in state if names[k] not in weights and k not in counters]
    extra = sorted(set(weights) - set(names.values()))
    wrong = [k for k in state if k not in missing and k not in counters]
    wrong = [k for k in wrong if weights[names[k]].shape != state[k].shape]
    for problem, keys in (("lacks", missing), ("has also", extra)):
        if keys:
            raise RequestError(
                f"weights of another architecture: the file {problem}"
                f" {names.get(keys[0], keys[0])} ({len(keys)} such names)"
            )
    if wrong:
        ours, theirs = tuple(state[wrong[0]].shape), tuple(weights[names[wrong[0]]].shape)
        raise RequestError(
            f"weights of another architecture: {names[wrong[0]]} is {theirs}, the network's {ours}"
        )


def _reordered(
    network: nn.Module, weights: dict[str, Tensor], direction: Callable[[Tensor], Tensor]
) -> dict[str, Tensor]:
    """Channels in another order, for shortcuts that pad on both sides: half in front, half behind.

    Ours pad behind. Between two paddings every block adds to the same channels, so one
    permutation of them, carried through all weights that touch them, gives the same function:
    `direction` is the identity from theirs to ours, and argsort from ours to theirs.
    """
    width = weights["stem.0.weight"].shape[0]
    order = torch.arange(width)  # our channel i is their channel order[i]
    result = dict(weights)
    for stage, blocks in network.named_children():
        if not stage.startswith("stage"):
            continue
        for i, block in enumerate(blocks.children()):
            prefix = f"{stage}.{i}.branch"
            # Only what a branch reads from the shortcut's channels and adds to them is in another
            # order; the channels between its two convolutions are its own.
            result[f"{prefix}.0.weight"] = weights[f"{prefix}.0.weight"][:, direction(order)]
            # From here on the block adds to the padded channels.
            if isinstance(block.shortcut, ZeroPadShortcut):
                order = _padded(order, block.shortcut.new_channels)
            for key in [k for k in weights if re.match(rf"{prefix}\.[34]\.", k)]:
                if weights[key].ndim:  # not BN's counter of batches
                    result[key] = weights[key][direction(order)]
    result["head.2.weight"] = weights["head.2.weight"][:, direction(order)]
    return result


def _padded(order: Tensor, new_channels: int) -> Tensor:
    """Their channels in our order after a padding: ours come first, all new ones behind."""
    front, total = new_channels // 2, len(order) + new_channels
    behind = torch.arange(front + len(order), total)
    return torch.cat((order + front, torch.arange(front), behind))


def as_foreign(
    config: NetworkConfig, loaded: dict[str, Any], naming: str, as_typed: bool = False
) -> tuple[NetworkConfig, str]:
    """The configuration for a state dict of some project, and whose it is.

    Other projects' weights of colour images come with ImageNet's normalisation, unless that of
    `config` is given or is to hold `as_typed`; and all with their place of the stride.
    """
    weights = bare(loaded)
    naming = detect(weights) if naming == "auto" else naming
    as_typed |= config.data.normalize == "given" or made_of(loaded) is not None
    if naming != "resx" and not as_typed and of_colour(weights):
        config = replace(config, data=replace(config.data, **FOREIGN_COLOURS))
    if naming == "torchvision" and config.model.get("stride_in") == "1x1":
        config = replace(config, model=config.model | {"stride_in": "3x3"})
    return config, naming
