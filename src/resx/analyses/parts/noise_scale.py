"""The gradient noise scale from gradients of batches (McCandlish 2018, arXiv:1812.06162)."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor


class Noise(NamedTuple):
    """Of gradients over batches: `trace` of the covariance for one image, |G|^2, and their ratio.

    `scale` is B_simple = tr(Sigma) / |G|^2 (Eq. 2.9), the batch size at which noise and gradient
    are equal. Where noise hides the gradient, so that the estimate of |G|^2 is not above 0, it is
    NaN; it then is not below the number of images, or so many would have shown the gradient.
    """

    trace: float
    squared_norm: float

    @property
    def scale(self) -> float:
        return self.trace / self.squared_norm if self.squared_norm > 0 else math.nan


def measure_noise(gradients: Iterable[Tensor], batch_size: int) -> Noise:
    """Unbiased, from K >= 2 gradients (P,) of independent batches of B images.

    tr(Sigma) = B sum |g - mean|^2 / (K - 1) and |G|^2 = |mean|^2 - tr(Sigma) / (K B): Appendix A.1
    for the batch sizes B and K B.
    """
    count, squares, total = 0, 0.0, torch.zeros(())
    for gradient in gradients:
        gradient = gradient.detach().double()
        squares += gradient.square().sum().item()
        total = total + gradient
        count += 1
    mean_square = (total / count).square().sum().item()
    trace = batch_size * max(squares - count * mean_square, 0.0) / (count - 1)
    return Noise(trace, mean_square - trace / (count * batch_size))
