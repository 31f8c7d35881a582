"""The contract of a family: the specification that it is given, the network that it returns."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

import torch
from torch import Tensor, nn

ForeignNames = Mapping[str, Callable[[str], str]]


@dataclass(frozen=True, kw_only=True)
class Spec:
    """Which network of a family, for which images: the settings that all families share."""

    depth: int  # weighted layers, as the family's paper counts them
    residual: bool = True  # False: the plain twin, the same layers without their shortcuts
    block: str  # which of the family's blocks
    layout: str = "auto"  # which of the family's stage tables: cifar, imagenet
    num_classes: int = 10
    in_channels: int = 3
    image_size: int = 32  # pixels, of both sides


class Network(nn.Sequential):
    """stem, stage1, stage2, .., head.

    (N, in_channels, H, W) -> logits (N, num_classes)

    `title` names the network as tables do. `foreign` has, by the name of another project, the
    function from our name of a weight to that project's; `absent` why another project has no such
    network. Every block of a stage has a `branch`, and a `shortcut` if it is residual.
    """

    def __init__(
        self,
        parts: Mapping[str, nn.Module],
        title: str = "",
        foreign: ForeignNames | None = None,
        absent: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(OrderedDict(parts))
        self.title = title
        self.foreign = dict(foreign or {})
        self.absent = dict(absent or {})
        self.memory_format = torch.contiguous_format

    def forward(self, images: Tensor) -> Tensor:
        if self.memory_format is torch.contiguous_format and images.shape[1] == 1:
            # One channel is contiguous in both layouts, and its strides, not its memory, would
            # decide in which of them torch goes on. This names the first one, without a copy.
            images = images.flatten(1).view(images.shape)
        return super().forward(images.contiguous(memory_format=self.memory_format))

    def blocks(self) -> Iterator[tuple[str, nn.Module]]:
        """The blocks of all stages in order, by name: `stage1.0`, `stage1.1`, .."""
        for stage, module in self.named_children():
            if stage.startswith("stage"):
                for number, block in module.named_children():
                    yield f"{stage}.{number}", block

    def arrange(self, memory_format: torch.memory_format | None = None) -> Self:
        """Lay out the weights, and from now on all images, in `memory_format`.

        Unless given it is channels_last, in which convolutions are fastest, but contiguous for a
        network with a convolution that torch cannot train in channels_last.
        """
        if memory_format is None:
            unsafe = any(corrupts_memory(module) for module in self.modules())
            memory_format = torch.contiguous_format if unsafe else torch.channels_last
        self.memory_format = memory_format
        return self.to(memory_format=memory_format)


def corrupts_memory(module: nn.Module) -> bool:
    """Whether torch's backward pass of this module may write outside its memory in channels_last.

    Seen with torch 2.15 on the CPU: oneDNN's backward pass of a strided 1x1 convolution with fewer
    than 8 input channels does so on one thread without AVX-512, and the process dies at some later
    allocation, if it dies. Projections of narrow networks are such convolutions; 3x3 ones are safe.
    The answer depends on the network alone, so that a machine or a thread more changes no result.
    """
    return (
        isinstance(module, nn.Conv2d)
        and module.kernel_size == (1, 1)
        and max(module.stride) > 1
        and module.in_channels < 8
    )


class Family(Protocol):
    """A family of networks: one function, which a model's yaml names as its `_target_`.

    It is annotated to return `Network` and takes the specification by the name `spec`; its other
    parameters are the family's options, typed, each with a default, and are set as `model.NAME`.
    It returns a `Network` with a title, the children stem, stage1, .. and head, and in every stage
    blocks that have a `branch`, and a `shortcut` if they are residual. It raises ValueError for
    what it does not have, with a message that begins with the setting: `width=0: must be ...`.
    Weights of its own kinds of layers come from their method `initialize(generator)`.
    """

    def __call__(self, spec: Spec, *arguments: Any, **options: Any) -> Network: ...


@torch.no_grad()
def refuse_other_output(network: Network, spec: Spec) -> None:
    """Raises ValueError if two images do not become a row of logits each.

    Only networks from outside need that: it costs a forward pass.
    """
    shape = (2, spec.in_channels, spec.image_size, spec.image_size)
    try:
        logits = network.eval()(torch.zeros(shape))
    except Exception as error:  # whatever the code of a trusted package raises
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"fails on images {shape}: {reason}") from error
    finally:
        network.train()
    found, wanted = tuple(getattr(logits, "shape", ())), (2, spec.num_classes)
    if found != wanted:
        raise ValueError(f"gives {found} for images {shape}; logits are {wanted}, a number a class")


def refuse_incomplete(network: Network) -> None:
    """Raises ValueError, naming what is missing, for a network that does not keep to `Family`."""
    children = dict(network.named_children())
    if not network.title:
        raise ValueError("the network has no title")
    for name in ("stem", "stage1", "head"):
        if name not in children:
            raise ValueError(f"the network {network.title} has no {name}")
    for name, block in network.blocks():
        if not isinstance(getattr(block, "branch", None), nn.Module):
            raise ValueError(f"{name} of the network {network.title} has no branch")
