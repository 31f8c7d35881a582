"""How far tokens are from all being equal, and features from one direction (arXiv:2103.03404)."""

import torch
from torch import Tensor

NORMS = ("composite", "frobenius")


def token_residual(x: Tensor, norm: str = "composite") -> Tensor:
    """|X - 1 m^T| / |X|, 0 if all tokens are equal: (N, tokens, width) -> (N,)."""
    return _norm(x - x.mean(1, keepdim=True), norm) / _norm(x, norm)


def _norm(x: Tensor, norm: str) -> Tensor:
    if norm == "frobenius":
        return torch.linalg.matrix_norm(x)
    columns, rows = (torch.linalg.matrix_norm(x, kind) for kind in (1, torch.inf))
    return (columns * rows).sqrt()


def effective_rank(x: Tensor) -> Tensor:
    """exp of the entropy of the singular values' shares (Roy and Vetterli 2007): (N, n, d) -> (N,).

    1 for a matrix of rank one, min(n, d) if all singular values are equal.
    """
    values = torch.linalg.svdvals(x)
    shares = values / values.sum(1, keepdim=True)
    return torch.special.entr(shares).sum(1).exp()
