"""Vision Transformer with and without its skips (Dosovitskiy et al. 2021, arXiv:2010.11929)."""

from typing import NamedTuple

from resx.models.parts.naming import vit_name
from resx.models.parts.network import Network, Spec
from resx.models.parts.options import at_least_one, one_of
from resx.models.parts.skeleton import title
from resx.models.parts.stages import SMALL_IMAGE
from resx.models.parts.transformer import Tokens, encoder, token_head

SKIPS = ("both", "attention", "mlp", "none")
MLP_RATIO = 4  # Table 1


class Size(NamedTuple):
    patch: int
    width: int
    heads: int


def usual_size(image_size: int) -> Size:
    """ViT-B/16 of the paper (Table 1); smaller images get smaller patches and a narrower net."""
    if image_size >= SMALL_IMAGE:
        return Size(16, 768, 12)
    return Size(4, 192, 3) if image_size >= 16 else Size(2, 64, 4)


def vit(
    spec: Spec,
    skip: str = "both",
    patch: int | None = None,
    width: int | None = None,
    heads: int | None = None,
    mlp_ratio: int = MLP_RATIO,
) -> Network:
    """`depth` encoder layers, two blocks each; `skip` says which of the two have their shortcut."""
    one_of("block", spec.block, ("encoder",))
    one_of("skip", skip, SKIPS)
    if spec.layout != "auto":
        raise ValueError(f"layout={spec.layout}: vit has no layouts, only the option patch")
    at_least_one(patch=patch, width=width, heads=heads, mlp_ratio=mlp_ratio)
    usual = usual_size(spec.image_size)
    patch, width, heads = patch or usual.patch, width or usual.width, heads or usual.heads
    if spec.image_size % patch:
        raise ValueError(f"patch={patch}: must divide image_size={spec.image_size}")
    if width % heads:
        raise ValueError(f"heads={heads}: must divide width={width}")
    kept = skip if spec.residual else "none"
    parts = {
        "stem": Tokens(spec.in_channels, width, patch, spec.image_size),
        "stage1": encoder(spec.depth, width, heads, mlp_ratio, kept),
        "head": token_head(width, spec.num_classes),
    }
    label = title(
        spec,
        f"ViT-{spec.depth}",
        f"{spec.image_size} px",
        f"patch {patch}",
        f"width {width}",
        f"heads {heads}",
        mlp_ratio != MLP_RATIO and f"MLP ratio {mlp_ratio}",
        spec.residual and skip != "both" and f"skip {skip}",
    )
    if kept == "both":
        return Network(parts, label, {"torchvision": vit_name})
    return Network(parts, label, absent={"torchvision": "its blocks have both skips"})
