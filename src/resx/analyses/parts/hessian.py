"""The Hessian of a network's loss, through products with vectors: eigenvalues, density, trace.

curvlinops (MIT) has all of this, and PyHessian (GPL) most of it; neither is used. The products of
the former go through forward-mode differentiation, which warns of deprecated torch.jit in torch
2.14, builds the graph anew for each and is slower by half; its Lanczos iteration does not
orthogonalise, so that eigenvalues repeat; and it brings seven packages.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from scipy.linalg import eigh_tridiagonal
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from resx.analyses.parts.sample import penalized_loss
from resx.data.dataset import Batch

Product = Callable[[Tensor], Tensor]


class Hessian:
    """Second derivatives of the mean loss over batches; `hessian(v)` is the product with v.

    v: (size,), all parameters after each other. The network must stay in the mode that it is in.
    With one batch the gradient's graph is kept, and a product costs one backward pass through it;
    with several it is built anew for each, so that memory does not grow with their number.
    """

    def __init__(self, network: nn.Module, batches: Sequence[Batch], decay: float = 0.0) -> None:
        self.network, self.batches, self.decay = network, batches, decay
        named = dict(network.named_parameters())
        self.names, self.parameters = list(named), list(named.values())
        self.sizes = [p.numel() for p in self.parameters]
        self.size = sum(self.sizes)
        self.like = self.parameters[0]
        self._kept = self._gradient(batches[0]) if len(batches) == 1 else None

    def __call__(self, vector: Tensor) -> Tensor:
        return self._product(vector, range(len(self.parameters)))

    def part(self, name: str) -> tuple[Product, int]:
        """The diagonal block of one part of the network, such as `stage1`, and its size."""
        chosen = [i for i, n in enumerate(self.names) if n.split(".")[0] == name]
        return lambda v: self._product(v, chosen), sum(self.sizes[i] for i in chosen)

    def split(self, vector: Tensor) -> dict[str, Tensor]:
        """The entries of every part of the network."""
        parts: dict[str, list[Tensor]] = {}
        for name, piece in zip(self.names, vector.split(self.sizes)):
            parts.setdefault(name.split(".")[0], []).append(piece)
        return {name: torch.cat(pieces) for name, pieces in parts.items()}

    def _gradient(self, batch: Batch) -> tuple[Tensor, ...]:
        with sdpa_kernel(SDPBackend.MATH):  # the fused attention has no second derivative
            loss = penalized_loss(self.network, batch, self.decay)
        return torch.autograd.grad(loss, self.parameters, create_graph=True)

    def _product(self, vector: Tensor, chosen: Sequence[int]) -> Tensor:
        parameters = [self.parameters[i] for i in chosen]
        pieces = vector.split([self.sizes[i] for i in chosen])
        shaped = [piece.view_as(p) for piece, p in zip(pieces, parameters)]
        total, count = torch.zeros_like(vector), 0
        for batch in self.batches:
            gradient = self._kept or self._gradient(batch)
            products = torch.autograd.grad(
                [gradient[i] for i in chosen],
                parameters,
                shaped,
                retain_graph=self._kept is not None,
                materialize_grads=True,
            )
            n = len(batch[1])
            total += n * torch.cat([p.reshape(-1) for p in products])
            count += n
        return total / count


class Spectrum(NamedTuple):
    """Gauss quadrature of a symmetric matrix's density: sum of weights at values, ascending.

    The ends are the extreme eigenvalues as far as the iteration has found them: an eigenvalue lies
    within `residuals` of each value.
    """

    values: Tensor
    weights: Tensor
    residuals: Tensor


def lanczos(product: Product, start: Tensor, steps: int) -> Spectrum:
    """`steps` products, each new direction orthogonalised twice against all before.

    One iteration serves for the extreme eigenvalues, which it finds first, and the density: that
    is stochastic Lanczos quadrature (Golub and Welsch 1969; Ghorbani 2019, arXiv:1901.10159).
    """
    basis = start.new_zeros(min(steps, len(start)), len(start))
    diagonal: list[float] = []
    beside: list[float] = []
    v = start / start.norm()
    for i in range(len(basis)):
        basis[i] = v
        w = product(v)
        diagonal.append(float(w @ v))
        for _ in range(2):
            w = w - basis[: i + 1].T @ (basis[: i + 1] @ w)
        beside.append(float(w.norm()))
        scale = max(map(abs, [*diagonal, *beside]))
        if beside[-1] <= 1e-6 * scale:  # the directions so far hold all that the start can reach
            beside[-1] = 0.0
            break
        v = w / beside[-1]
    values, vectors = eigh_tridiagonal(diagonal, beside[:-1])
    found = torch.from_numpy(values), torch.from_numpy(vectors)
    rounding = torch.finfo(start.dtype).eps * found[0].abs().max()
    return Spectrum(found[0], found[1][0] ** 2, beside[-1] * found[1][-1].abs() + rounding)


class Trace(NamedTuple):
    total: float
    diagonal: Tensor  # an estimate of every diagonal entry, of which a part's sum is its trace


def hutchpp(product: Product, size: int, sketches: int, draw: Callable[[int], Tensor]) -> Trace:
    """tr(Q'AQ) + mean of g'(I - QQ')A(I - QQ')g, Q spanning A S (Meyer 2021, arXiv:2010.09649).

    3 * `sketches` products; `draw(size)` gives vectors of signs. Parts come from the same products:
    the diagonal of A QQ' is exact, that of A(I - QQ') is the mean of g * A(I - QQ')g.
    """
    columns = min(sketches, size)
    image = torch.stack([product(draw(size)) for _ in range(columns)], 1)
    basis = torch.linalg.qr(image).Q
    mapped = torch.stack([product(q) for q in basis.T.contiguous()], 1)
    diagonal = (mapped * basis).sum(1)
    total = float(diagonal.sum())
    for _ in range(columns):
        g = draw(size)
        outside = g - basis @ (basis.T @ g)
        mapped_g = product(outside)
        total += float(outside @ mapped_g) / columns
        diagonal = diagonal + g * mapped_g / columns
    return Trace(total, diagonal)


def signs(generator: torch.Generator, like: Tensor) -> Callable[[int], Tensor]:
    """Vectors of -1 and 1 from one generator, on the device of `like`."""

    def draw(size: int) -> Tensor:
        drawn = torch.randint(2, (size,), generator=generator)
        return (2 * drawn - 1).to(like)

    return draw
