"""How alike two sets of features are, with one row an image."""

from collections.abc import Sequence

import torch
from torch import Tensor


def pooled(features: Tensor) -> Tensor:
    """Means over places: (N, C, H, W) or (N, tokens, C) -> (N, C)."""
    return features.mean((2, 3)) if features.ndim == 4 else features.mean(1)


def cosine(first: Tensor, second: Tensor) -> float:
    """The mean over images of the cosine of two tensors (N, ...); images of norm 0 are left out."""
    first, second = first.flatten(1).double(), second.flatten(1).double()
    lengths = first.norm(dim=1) * second.norm(dim=1)
    dots = (first * second).sum(1)
    return float((dots[lengths > 0] / lengths[lengths > 0]).mean())


def linear_cka(first: Tensor, second: Tensor) -> float:
    """|Y'X|^2 / (|X'X| |Y'Y|) of centred features, one row an image (Kornblith 2019, 1905.00414).

    1 for equal features, also if one set is rotated or scaled.
    """
    return similarities([first, second])[0, 1].item()


def similarities(sets: Sequence[Tensor]) -> Tensor:
    """Linear CKA of each set of features with each other: K tensors (N, ...) -> (K, K).

    Through the N x N Gram matrices, as images are fewer than features.
    """
    grams = torch.stack([_gram(features).flatten() for features in sets])
    grams = grams / grams.norm(dim=1, keepdim=True)
    return grams @ grams.T


def _gram(features: Tensor) -> Tensor:
    centred = features.flatten(1).double()
    centred = centred - centred.mean(0)
    return centred @ centred.T
