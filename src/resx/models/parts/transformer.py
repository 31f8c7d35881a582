"""The two blocks of a transformer's layer, and what makes tokens of images (arXiv:2010.11929)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resx.models.parts.layers import Positions

EPSILON = 1e-6  # of layer norm, as in the paper's code and torchvision


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


class PlainEncoderBlock(nn.Module):
    """F(norm(x)), F attention or an MLP: (N, tokens, width) -> the same."""

    def __init__(self, width: int, function: nn.Module) -> None:
        super().__init__()
        self.branch = nn.Sequential(nn.LayerNorm(width, EPSILON), function)

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x)


class EncoderBlock(PlainEncoderBlock):
    """x + F(norm(x)); an encoder layer is one of attention and one of an MLP (Eq. 2 and 3)."""

    def __init__(self, width: int, function: nn.Module) -> None:
        super().__init__(width, function)
        self.shortcut = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.branch(x)


def encoder(depth: int, width: int, heads: int, mlp_ratio: int, skip: str) -> nn.Sequential:
    """Two blocks a layer, each with its shortcut if `skip` names it: both, attention, mlp, none."""
    blocks: list[nn.Module] = []
    for _ in range(depth):
        hidden = nn.Linear(width, mlp_ratio * width), nn.GELU()
        mlp = nn.Sequential(*hidden, nn.Linear(mlp_ratio * width, width))
        for name, function in (("attention", Attention(width, heads)), ("mlp", mlp)):
            block = EncoderBlock if skip in ("both", name) else PlainEncoderBlock
            blocks.append(block(width, function))
    return nn.Sequential(*blocks)


class Tokens(nn.Module):
    """A vector a patch, and one more for the class, in front.

    (N, in_channels, H, W) -> (N, 1 + (H / patch) (W / patch), width)
    """

    def __init__(self, in_channels: int, width: int, patch: int, image_size: int) -> None:
        super().__init__()
        self.projection = nn.Conv2d(in_channels, width, patch, patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = Positions(1 + (image_size // patch) ** 2, width)

    def initialize(self, generator: torch.Generator) -> None:
        nn.init.zeros_(self.class_token)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.projection(x).flatten(2).transpose(1, 2)
        return self.positions(torch.cat((self.class_token.expand(len(x), -1, -1), patches), 1))


def token_head(width: int, num_classes: int) -> nn.Sequential:
    """(N, tokens, width) -> logits (N, num_classes), read off the class token."""
    return nn.Sequential(nn.LayerNorm(width, EPSILON), ClassToken(), nn.Linear(width, num_classes))


class ClassToken(nn.Module):
    """(N, tokens, width) -> (N, width): the first."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, 0]
