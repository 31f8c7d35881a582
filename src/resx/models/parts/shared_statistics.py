"""Batch norm of a network that several processes train, each on its part of the batch."""

from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from resx.distributed import part, total
from resx.models.parts.batch_statistics import batch_norms, replace_norms
from resx.models.parts.network import Network


class _Normalized(torch.autograd.Function):
    """Batch norm by the mean and variance over all processes: gathered once, and once backward.

    torch.nn.SyncBatchNorm is the same, but has no form for the CPU.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """x (N, C, H, W) -> the same, and the mean and biased variance (C,) of all."""
        own = torch.stack(torch.var_mean(_float(x), (0, 2, 3), correction=0)[::-1])
        gathered = [torch.empty_like(own) for _ in range(part().world)]
        dist.all_gather(gathered, own)
        means, variances = torch.stack(gathered).unbind(1)
        mean = means.mean(0)
        var = (variances + (means - mean).square()).mean(0)
        ctx.save_for_backward(x, weight, mean, (var + eps).rsqrt())
        ctx.mark_non_differentiable(mean, var)
        return F.batch_norm(x, mean, var, weight, bias, eps=eps), mean, var

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        """Of the sum of all processes' losses; theirs of the weights are summed elsewhere."""
        x, weight, mean, scale = ctx.saved_tensors
        shape = (1, -1, 1, 1)
        given = _float(gradient)
        normalized = (_float(x) - mean.view(shape)) * scale.view(shape)
        sums = torch.stack((given.sum((0, 2, 3)), (given * normalized).sum((0, 2, 3))))
        count = len(x) * x[0, 0].numel() * part().world
        of_bias, of_weight = sums.clone()
        of_mean, of_scale = (total(sums) / count).view(2, *shape)
        factor = scale if weight is None else weight * scale
        of_x = (given - of_mean - normalized * of_scale) * factor.view(shape)
        of_x = of_x.to(x.dtype)
        return of_x, *((None, None) if weight is None else (of_weight, of_bias)), None


def _float(x: Tensor) -> Tensor:
    """In float32 at least."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Batch norm over the images of all processes: (N, C, H, W) -> the same.

    Every process has equally many. In evaluation mode it is batch norm.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        y, mean, var = _Normalized.apply(x, self.weight, self.bias, self.eps)
        self._average(mean, var, len(x) * x[0, 0].numel() * part().world)
        return y

    @torch.no_grad()
    def _average(self, mean: Tensor, var: Tensor, count: int) -> None:
        assert self.running_mean is not None and self.running_var is not None
        if self.num_batches_tracked is not None:
            self.num_batches_tracked += 1
        momentum = self.momentum
        if momentum is None:  # a plain mean over all batches
            momentum = 1 / int(self.num_batches_tracked or 1)
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(var * (count / (count - 1)), momentum)


def share_statistics(network: Network) -> None:
    """Replace every batch norm; parameters, buffers and their names stay."""
    replace_norms(network, SharedBatchNorm2d)


class RunningAverages:
    """Of batch norm, as one process has them that sees the parts of all processes in order.

    Each part makes them (1 - momentum) old + momentum new. So after the k parts of each of R
    processes, process r's last one counts as often as if k (R - 1 - r) parts had come since.
    """

    def __init__(self, network: nn.Module, parts: int) -> None:
        """`parts`: for which batch norm takes statistics apart, of a step in each process."""
        norms = [n for n in batch_norms(network) if not isinstance(n, SharedBatchNorm2d)]
        rank, world = part()
        self.added = parts * (world - 1)
        self.buffers = [b for n in norms for b in (n.running_mean, n.running_var) if b is not None]
        self.counts = [c for n in norms if (c := n.num_batches_tracked) is not None]
        device = next(network.parameters()).device
        kept = [(1 - (n.momentum or 0.0)) ** parts for n in norms for _ in range(2)]
        sizes = torch.tensor([buffer.numel() for buffer in self.buffers], dtype=torch.int64)
        self.kept = torch.tensor(kept).repeat_interleave(sizes).to(device)
        self.weight = self.kept ** (world - 1 - rank)
        self.kept_of_all = self.kept**world

    def values(self) -> Tensor:
        return torch.cat([self.kept[:0], *(buffer.flatten() for buffer in self.buffers)])

    def combine(self, before: Tensor, outcome: Tensor) -> Tensor:
        """After a step, from the `values` before it: sets those of all processes' parts.

        Returns the mean outcome (loss, error), which travels with them.
        """
        added = self.weight * (self.values() - self.kept * before)
        sums = total(torch.cat((outcome / part().world, added)))
        after = self.kept_of_all * before + sums[len(outcome) :]
        for buffer, value in zip(self.buffers, after.split([b.numel() for b in self.buffers])):
            buffer.copy_(value)
        if self.counts:
            torch._foreach_add_(self.counts, self.added)
        return sums[: len(outcome)]
