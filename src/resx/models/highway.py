"""Highway networks: gated shortcuts (Srivastava 2015, arXiv:1505.00387 and arXiv:1507.06228)."""

from typing import Any

from torch import Tensor, nn

from resx.config.checks import at_least, one_of
from resx.errors import RequestError
from resx.models.parts.layers import Gate, Network, make_head, make_norm, stack, title
from resx.models.parts.stages import Depths, Stage, cifar_stages

CONV = Depths(3, 2, {})  # three stages of n layers, the first layer and the classifier
KERNELS = {"conv": 3, "linear": 1}
WIDTHS = {"conv": 16, "linear": 50}  # 50 units: arXiv:1507.06228, Sec. 3.1


class PlainLayer(nn.Module):
    """H(x) = relu(W x + b), with batch norm before the ReLU where asked for.

    (N, in_channels, H, W) -> (N, channels, H / stride, W / stride)
    """

    def __init__(
        self, in_channels: int, channels: int, stride: int, kernel: int = 3, norm: str = "none"
    ) -> None:
        super().__init__()
        bias = norm == "none"
        self.branch = nn.Sequential(
            nn.Conv2d(in_channels, channels, kernel, stride, kernel // 2, bias=bias),
            make_norm(norm, channels),
            nn.ReLU(),
        )

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
    depth: int,
    residual: bool,
    block: str,
    layout: str,
    num_classes: int,
    in_channels: int = 3,
    image_size: int = 32,
    gate_bias: float | None = None,
    width: int | None = None,
    norm: str = "none",
) -> Network:
    """Highway layers; `residual=False` is the twin with T = 1, so without shortcut and gate.

    block=conv: 3n + 2 layers in the CIFAR layout, 16 channels at first; the layers that change
    shape have no shortcut. block=linear: fully connected, 50 units; `depth` counts the first
    layer but not the classifier, as the paper's study of 10 to 100 layers does. `gate_bias` goes
    by the paper's rule unless given. Raises `RequestError` for a depth or option that does not
    exist.
    """
    one_of("block", block, KERNELS)
    if layout == "imagenet":
        raise RequestError("layout=imagenet: highway has the cifar layout alone")
    width = WIDTHS[block] if width is None else width
    at_least("model.width", width, 1)
    bias = gate_bias_for(depth) if gate_bias is None else gate_bias
    options: dict[str, Any] = {"kernel": KERNELS[block], "norm": norm}

    def layer(in_channels: int, channels: int, stride: int) -> nn.Module:
        if residual and in_channels == channels:
            return HighwayLayer(in_channels, channels, stride, bias, **options)
        return PlainLayer(in_channels, channels, stride, **options)

    if block == "conv":
        stages = cifar_stages(depth, width, CONV)
        stem = PlainLayer(in_channels, width, 1, **options).branch
    else:
        if depth < 2:
            raise RequestError(f"depth={depth}: a fully connected net has at least 2 layers")
        stages = (Stage(depth - 1, width, 1),)
        pixels = in_channels * image_size**2
        first = PlainLayer(pixels, width, 1, **options).branch
        stem = nn.Sequential(nn.Flatten(), nn.Unflatten(1, (pixels, 1, 1)), *first.children())
    head = make_head(stages[-1].channels, num_classes)
    network = stack(stem, layer, stages, head, width)
    network.title = title(
        f"Highway-{depth}",
        residual,
        block,
        f"width {width}",
        norm != "none" and f"norm {norm}",
        residual and f"gate bias {bias:g}",
    )
    return network
