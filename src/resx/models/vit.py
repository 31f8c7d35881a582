"""Vision Transformer with and without its skips (Dosovitskiy et al. 2021, arXiv:2010.11929)."""

import re
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resx.config.checks import at_least, one_of
from resx.errors import RequestError
from resx.models.parts.layers import Network, Positions, title
from resx.models.parts.stages import SMALL_IMAGE

EPSILON = 1e-6  # of layer norm, as in the paper's code and torchvision
SKIPS = ("both", "attention", "mlp", "none")


class Attention(nn.Module):
    """Multi-head self-attention: (N, tokens, width) -> the same."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj = nn.Linear(width, 3 * width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        queries, keys, values = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in self.in_proj(x).chunk(3, -1)
        )
        mixed = F.scaled_dot_product_attention(queries, keys, values)
        return self.out_proj(mixed.transpose(1, 2).flatten(2))


class PlainUnit(nn.Module):
    """F(norm(x)), F attention or an MLP: (N, tokens, width) -> the same."""

    def __init__(self, width: int, function: nn.Module) -> None:
        super().__init__()
        self.branch = nn.Sequential(nn.LayerNorm(width, EPSILON), function)

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x)


class ResidualUnit(PlainUnit):
    """x + F(norm(x)); an encoder layer is one of attention and one of an MLP (Eq. 2 and 3)."""

    def __init__(self, width: int, function: nn.Module) -> None:
        super().__init__(width, function)
        self.shortcut = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.branch(x)


class Tokens(nn.Module):
    """A vector a patch, and one more for the class, in front.

    (N, in_channels, H, W) -> (N, 1 + (H / patch) (W / patch), width)
    """

    def __init__(self, in_channels: int, width: int, patch: int, image_size: int) -> None:
        super().__init__()
        self.projection = nn.Conv2d(in_channels, width, patch, patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = Positions(1 + (image_size // patch) ** 2, width)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.projection(x).flatten(2).transpose(1, 2)
        return self.positions(torch.cat((self.class_token.expand(len(x), -1, -1), patches), 1))


class ClassToken(nn.Module):
    """(N, tokens, width) -> (N, width): the first."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, 0]


def encoder(depth: int, width: int, heads: int, mlp_ratio: int, skip: str) -> nn.Sequential:
    """Two units a layer, each with its shortcut if `skip` names it."""
    units: list[nn.Module] = []
    for _ in range(depth):
        hidden = nn.Linear(width, mlp_ratio * width), nn.GELU()
        mlp = nn.Sequential(*hidden, nn.Linear(mlp_ratio * width, width))
        for name, function in (("attention", Attention(width, heads)), ("mlp", mlp)):
            unit = ResidualUnit if skip in ("both", name) else PlainUnit
            units.append(unit(width, function))
    return nn.Sequential(*units)


def vit(
    depth: int,
    residual: bool,
    block: str,
    layout: str,
    num_classes: int,
    in_channels: int = 3,
    image_size: int = 32,
    skip: str = "both",
    patch: int | None = None,
    width: int | None = None,
    heads: int | None = None,
    mlp_ratio: int = 4,
) -> Network:
    """`depth` encoder layers; `skip` says which shortcuts they have, `residual=False` none.

    Unless given, patch, width and heads are 16, 768, 12 (ViT-B) from 64 pixels on, 4, 192, 3 from
    16 pixels on, and 2, 64, 4 below. Two blocks of stage1, of attention and of the MLP, are one
    layer. Raises `RequestError` for an option that does not exist.
    """
    one_of("block", block, ("encoder",))
    one_of("model.skip", skip, SKIPS)
    if layout != "auto":
        raise RequestError(f"layout={layout}: vit has no layouts, only model.patch")
    sizes = (16, 768, 12) if image_size >= SMALL_IMAGE else (4, 192, 3)
    sizes = sizes if image_size >= 16 else (2, 64, 4)
    patch, width, heads = (
        default if given is None else given for given, default in zip((patch, width, heads), sizes)
    )
    numbers = {"patch": patch, "width": width, "heads": heads, "mlp_ratio": mlp_ratio}
    for name, value in numbers.items():
        at_least(f"model.{name}", value, 1)
    if image_size % patch:
        raise RequestError(f"model.patch={patch}: must divide image_size={image_size}")
    if width % heads:
        raise RequestError(f"model.heads={heads}: must divide model.width={width}")
    skip = skip if residual else "none"
    head = nn.Sequential(nn.LayerNorm(width, EPSILON), ClassToken(), nn.Linear(width, num_classes))
    stem = Tokens(in_channels, width, patch, image_size)
    stage1 = encoder(depth, width, heads, mlp_ratio, skip)
    network = Network(OrderedDict(stem=stem, stage1=stage1, head=head))
    network.title = title(
        f"ViT-{depth}",
        residual,
        f"{image_size} px",
        f"patch {patch}",
        f"width {width}",
        f"heads {heads}",
        mlp_ratio != 4 and f"MLP ratio {mlp_ratio}",
        residual and skip != "both" and f"skip {skip}",
    )
    if skip == "both":
        network.foreign = {"torchvision": torchvision_name}
    return network


def torchvision_name(ours: str) -> str:
    """`stage1.2.branch.1.in_proj.weight` -> `encoder.layers.encoder_layer_1.self_attention...`"""
    parts = {"0.": "mlp.0.", "2.": "mlp.3."}
    parts |= {"in_proj.": "self_attention.in_proj_", "out_proj.": "self_attention.out_proj."}

    def unit(match: re.Match[str]) -> str:
        layer, second = divmod(int(match[1]), 2)
        inner = f"ln_{second + 1}." if match[2] == "0" else parts[match[3]]
        return f"encoder.layers.encoder_layer_{layer}.{inner}"

    ours = re.sub(r"^stage1\.(\d+)\.branch\.(?:(0)\.|1\.(\w+\.))", unit, ours)
    ends = {"stem.projection.": "conv_proj.", "stem.class_token": "class_token"}
    ends |= {"stem.positions.weight": "encoder.pos_embedding"}
    ends |= {"head.0.": "encoder.ln.", "head.2.": "heads.head."}
    for start, replacement in ends.items():
        if ours.startswith(start):
            ours = replacement + ours.removeprefix(start)
    return ours
