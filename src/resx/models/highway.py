"""Highway networks: gated shortcuts (Srivastava 2015, arXiv:1505.00387 and arXiv:1507.06228)."""

from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from resx.models.parts.layers import Gate, make_norm
from resx.models.parts.network import Network, Spec
from resx.models.parts.options import at_least_one, one_of
from resx.models.parts.skeleton import make_head, stack, title
from resx.models.parts.stages import Depths, Stage, choose_layout

CONV = Depths((3, 2), {})  # three stages of n layers, the first layer and the classifier
KERNEL = {"conv": 3, "linear": 1}
WIDTH = {"conv": 16, "linear": 50}  # 50 units: arXiv:1507.06228, Sec. 3.1


def weighted(in_channels: int, channels: int, stride: int, kernel: int, norm: str) -> nn.Sequential:
    """relu(W x + b), with batch norm before the ReLU where asked for."""
    bias = norm == "none"
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, kernel, stride, kernel // 2, bias=bias),
        make_norm(norm, channels),
        nn.ReLU(),
    )


class PlainLayer(nn.Module):
    """H(x) = relu(W x + b), with batch norm before the ReLU where asked for.

    (N, in_channels, H, W) -> (N, channels, H / stride, W / stride)
    """

    def __init__(
        self, in_channels: int, channels: int, stride: int, kernel: int = 3, norm: str = "none"
    ) -> None:
        super().__init__()
        self.branch = weighted(in_channels, channels, stride, kernel, norm)

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x)


class HighwayLayer(PlainLayer):
    """T(x) H(x) + (1 - T(x)) x (Eq. 3): the gate T opens to H as far as it is worth it."""

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int,
        gate_bias: float,
        kernel: int = 3,
        norm: str = "none",
    ) -> None:
        super().__init__(in_channels, channels, stride, kernel, norm)
        self.shortcut = nn.Identity()
        self.gate = Gate(in_channels, channels, kernel, stride, gate_bias)

    def forward(self, x: Tensor) -> Tensor:
        share = self.gate(x)
        return share * self.branch(x) + (1 - share) * self.shortcut(x)


def gate_bias_for(depth: int) -> float:
    """-1, -2, -3 for about 10, 20, 30 layers and more: deeper nets start more closed.

    The paper's rule for its convolutional nets; for its study of depth it searched -1 to -10.
    """
    return -float(min(max(round(depth / 10), 1), 3))


def highway(
    spec: Spec,
    gate_bias: float | None = None,
    width: int | None = None,
    plain_width: int | None = None,
    norm: str = "none",
) -> Network:
    """Highway layers; the plain twin has T = 1, so neither shortcut nor gate.

    Gates double the parameters of a layer. The twin has the same layers, or with `plain_width` so
    many channels more that it has the same parameters: 71 for 50 fully connected (Sec. 3.1).

    block=conv: 3n + 2 layers in the CIFAR layout; the layers that change shape have no shortcut.
    block=linear: fully connected; `depth` counts the first layer but not the classifier, as the
    paper's study of 10 to 100 layers does.
    """
    one_of("block", spec.block, KERNEL)
    if spec.layout == "imagenet":
        raise ValueError("layout=imagenet: highway has the cifar layout alone")
    at_least_one(width=width, plain_width=plain_width)
    width = (None if spec.residual else plain_width) or width or WIDTH[spec.block]
    bias = gate_bias_for(spec.depth) if gate_bias is None else gate_bias
    options: dict[str, Any] = {"kernel": KERNEL[spec.block], "norm": norm}

    def layer(in_channels: int, channels: int, stride: int) -> nn.Module:
        if spec.residual and in_channels == channels:
            return HighwayLayer(in_channels, channels, stride, bias, **options)
        return PlainLayer(in_channels, channels, stride, **options)

    stem, stages = begin(spec, width, **options)
    head = make_head(stages[-1].channels, spec.num_classes)
    label = title(
        spec,
        f"Highway-{spec.depth}",
        spec.block,
        f"width {width}",
        norm != "none" and f"norm {norm}",
        spec.residual and f"gate bias {bias:g}",
    )
    return Network(stack(stem, layer, stages, head, width), label)


def begin(spec: Spec, width: int, kernel: int, norm: str) -> tuple[nn.Module, tuple[Stage, ...]]:
    """The first layer, which changes the shape and so has no gate, and what the others are."""
    if spec.block == "conv":
        layout = choose_layout(replace(spec, layout="cifar"), {"conv": CONV})  # of any image size
        return weighted(spec.in_channels, width, 1, kernel, norm), layout.stages(width)
    if spec.depth < 2:
        raise ValueError(f"depth={spec.depth}: a fully connected net has at least 2 layers")
    # A fully connected layer is a 1x1 convolution of a single pixel: both blocks are one class.
    pixels = spec.in_channels * spec.image_size**2
    first = weighted(pixels, width, 1, kernel, norm)
    flat = nn.Sequential(nn.Flatten(), nn.Unflatten(1, (pixels, 1, 1)), *first)
    return flat, (Stage(spec.depth - 1, width, 1),)
