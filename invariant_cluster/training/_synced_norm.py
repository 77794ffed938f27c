"""Batch normalisation with the statistics of the rows of all processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from invariant_cluster.training._processes import all_gather


@contextmanager
def synchronized_norms(*modules: nn.Module) -> Iterator[None]:
    """Normalise by the statistics of all processes inside a block.

    Parameters
    ----------
    *modules : nn.Module
        Modules whose batch normalisations are changed inside the block, in training
        mode alone. Their parameters, buffers and classes stay.

    Yields
    ------
    None
        All processes must make the same calls inside the block.

    Notes
    -----
    ``nn.SyncBatchNorm`` does the same on GPUs alone.
    """
    norms = [n for m in modules for n in m.modules() if isinstance(n, _BatchNorm)]
    for norm in norms:
        norm.forward = partial(normalize_together, norm)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for norm in norms:
            vars(norm).pop("forward", None)


def normalize_together(norm: _BatchNorm, x: Tensor) -> Tensor:
    """Return normalised maps, and follow the statistics of all processes.

    Parameters
    ----------
    norm : nn.BatchNorm1d or nn.BatchNorm2d
        Normalisation; in evaluation mode it does what it always does.
    x : Tensor of shape (n, c, ...)
        Maps of this process, as many as of each other one.

    Returns
    -------
    Tensor of the shape of x
        The maps, with mean 0 and variance 1 over the maps of all processes before the
        affine part.

    See Also
    --------
    synchronized_norms : Let all normalisations of a module call this function.
    """
    if not norm.training:
        return type(norm).forward(norm, x)
    mean, variance, n = _statistics(x.detach())
    _follow(norm, mean, variance * n / max(1, n - 1))
    normalized: Tensor = _Normalize.apply(
        x, norm.weight, norm.bias, mean, variance, n, norm.eps
    )
    return normalized


def _statistics(x: Tensor) -> tuple[Tensor, Tensor, int]:
    """Return mean (c,), biased variance (c,) and number of values a channel, of all."""
    # Running statistics, here unused, make torch add up bfloat16 in float32.
    dtype = torch.promote_types(x.dtype, torch.float32)
    unused = x.new_zeros(x.shape[1], dtype=dtype)
    mine = torch.stack(torch.batch_norm_update_stats(x, unused, unused.clone(), 0.0))
    means, variances = torch.stack(all_gather(mine)).unbind(1)
    mean = means.mean(dim=0)
    # All shares are equal: the variance is that within them plus that between them.
    variance = (variances + (means - mean).square()).mean(dim=0)
    return mean, variance, len(means) * x.numel() // x.shape[1]


@torch.no_grad()
def _follow(norm: _BatchNorm, mean: Tensor, variance: Tensor) -> None:
    """Update the running statistics, as torch does."""
    if norm.running_mean is None or norm.running_var is None:
        return
    assert norm.num_batches_tracked is not None
    norm.num_batches_tracked += 1
    share = norm.momentum
    if share is None:
        share = 1 / float(norm.num_batches_tracked)
    norm.running_mean.lerp_(mean, share)
    norm.running_var.lerp_(variance, share)


class _Normalize(torch.autograd.Function):
    """``w (x - m) / sqrt(v + eps) + b``, where m and v depend on x in all processes."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        mean: Tensor,
        variance: Tensor,
        n: int,
        eps: float,
    ) -> Tensor:
        ctx.save_for_backward(x, weight, mean, variance)
        ctx.n, ctx.eps = n, eps
        return nn.functional.batch_norm(x, mean, variance, weight, bias, eps=eps)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, variance = ctx.saved_tensors
        # As if the statistics were constant; of the affine part, for the own rows.
        d_x, d_weight, d_bias = torch.ops.aten.native_batch_norm_backward(
            gradient, x, weight, mean, variance, None, None, False, ctx.eps, [True] * 3
        )
        # What the statistics add depends on the rows of all processes.
        # A sum of little by gloo's all_reduce takes five times as long.
        sums = torch.stack(all_gather(torch.stack([d_weight, d_bias]))).sum(dim=0)
        inverse = (variance + ctx.eps).rsqrt()
        slope, offset = sums / -ctx.n * inverse
        if weight is not None:
            slope, offset = slope * weight, offset * weight
        slope = slope * inverse
        offset = offset - slope * mean
        channels = [-1] + [1] * (x.ndim - 2)
        d_x.addcmul_(x, slope.to(x.dtype).view(channels))
        d_x.add_(offset.to(x.dtype).view(channels))
        affine = (d_weight, d_bias) if weight is not None else (None, None)
        return d_x, *affine, None, None, None, None
