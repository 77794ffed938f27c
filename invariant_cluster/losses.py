"""Losses: pure functions of tensors that return a scalar."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

RECONSTRUCTIONS = ("cross_entropy", "squared_error")
CONSISTENCIES = ("nt_xent", "cross_correlation", "centered_cosine", "cosine", "mse")
_REDUNDANCY_WEIGHT = 0.01
_VARIANCE_FLOOR = 1e-4
_TINY = 1e-8


def squared_error(logits: Tensor, targets: Tensor) -> Tensor:
    """``mean_p ||J_p - sigmoid(logit_p)||^2`` over images and pixels (section 3.3.1).

    The squares are summed over channels. Both arguments have shape (n, p, c).
    """
    return (targets - logits.sigmoid()).square().sum(dim=-1).mean()


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """``mean_p -J_p log s_p - (1 - J_p) log(1 - s_p)``, s the sigmoid of the logits.

    Summed over channels; targets lie in [0, 1]. Both have shape (n, p, c). Where the
    sigmoid saturates its gradient does not vanish, as that of the squared error does.
    """
    terms = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return terms.sum(dim=-1).mean()


def cosine_consistency(z1: Tensor, z2: Tensor) -> Tensor:
    """``mean 1 - z1 . z2 / (|z1| |z2|)`` (section 3.3.2); both have shape (n, d)."""
    return (1 - F.cosine_similarity(z1, z2, dim=1, eps=_TINY)).mean()


def centered_cosine_consistency(z1: Tensor, z2: Tensor) -> Tensor:
    """Return the cosine consistency after subtracting the mean of the batch.

    The mean of both views together, so that one constant direction does not meet it.
    """
    mean = (z1.mean(dim=0) + z2.mean(dim=0)) / 2
    return cosine_consistency(z1 - mean, z2 - mean)


def mse_consistency(z1: Tensor, z2: Tensor) -> Tensor:
    """``mean (z1 - z2)^2`` over images and dimensions (section 4.1)."""
    return F.mse_loss(z1, z2)


def cross_correlation_consistency(z1: Tensor, z2: Tensor) -> Tensor:
    """``1/d (sum_i (1 - C_ii)^2 + 0.01 sum_{i != j} C_ij^2)``, C the cross-correlation.

    Each dimension agrees between the views and tells something else than the others
    (Barlow Twins, Zbontar et al., ICML 2021), so z cannot fall onto few directions.
    Both have shape (n, d); correlations are over the batch.
    """
    d = z1.shape[1]
    correlation = _standardize(z1).T @ _standardize(z2) / len(z1)
    diagonal = correlation.diagonal()
    others = correlation.square().sum() - diagonal.square().sum()
    return ((1 - diagonal).square().sum() + _REDUNDANCY_WEIGHT * others) / d


def nt_xent_consistency(z1: Tensor, z2: Tensor, temperature: float = 0.5) -> Tensor:
    """``mean -log (e^{c(z, z+)/t} / sum_{z'} e^{c(z, z')/t})``, c the cosine.

    The two views of an image, z and z+, are nearer to each other than to the views z'
    of all other images in the batch (SimCLR, Chen et al., ICML 2020, equation 1), so z
    cannot fall onto one direction and like images gather. The lower the temperature t,
    the more the nearest of the others count. Both have shape (n, d).
    """
    unit = F.normalize(torch.cat([z1, z2]), dim=1, eps=_TINY)
    similarity = unit @ unit.T / temperature
    own = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
    partner = torch.arange(len(unit), device=unit.device).roll(len(z1))
    return F.cross_entropy(similarity.masked_fill(own, -torch.inf), partner)


def _standardize(z: Tensor) -> Tensor:
    centered = z - z.mean(dim=0)
    return centered / (centered.square().mean(dim=0) + _VARIANCE_FLOOR).sqrt()


def effective_dimension(z: Tensor) -> Tensor:
    """Return ``tr(C)^2 / tr(C^2)`` of the covariance C of z (n, d): 1 to d.

    The participation ratio: near 1, z has fallen onto one direction.
    """
    centered = z - z.mean(dim=0)
    gram = centered @ centered.T
    return gram.trace().square() / gram.square().sum().clamp_min(1e-12)


def symmetry_loss(estimate: Tensor, target: Tensor, has_mass: Tensor) -> Tensor:
    """``mean ||target - estimate||^2`` over the images that have mass (section 3.4).

    Parameters
    ----------
    estimate, target : Tensor of shape (n, k)
    has_mass : bool Tensor of shape (n,)
    """
    errors = (target - estimate).square().sum(dim=1)
    return (errors * has_mass).sum() / has_mass.sum().clamp_min(1)


def gaussian_divergence(mean: Tensor, log_std: Tensor, prior_std: float) -> Tensor:
    """``log(s_0 / s) + (s^2 + m^2) / (2 s_0^2) - 1/2``, s_0 the prior's deviation.

    KL divergence of N(m, s^2) from N(0, s_0^2), elementwise, in nats.
    """
    log_ratio = log_std - math.log(prior_std)
    scaled = (mean / prior_std).square() + (2 * log_ratio).exp()
    return 0.5 * (scaled - 1) - log_ratio


def scan_consistency(log_p: Tensor, log_q: Tensor) -> Tensor:
    """``mean -log <p, q>`` of an image and its neighbour (SCAN, equation 2).

    Parameters
    ----------
    log_p, log_q : Tensor of shape (..., n, n_clusters)
        Log-probabilities.

    Returns
    -------
    Tensor of shape (...)
    """
    return -torch.logsumexp(log_p + log_q, dim=-1).mean(dim=-1)


def mean_entropy(log_p: Tensor) -> Tensor:
    """``-sum_c m_c log m_c`` of the mean probabilities m of the batch.

    Parameters
    ----------
    log_p : Tensor of shape (..., n, n_clusters)

    Returns
    -------
    Tensor of shape (...)
    """
    mean = log_p.exp().mean(dim=-2).clamp_min(_TINY)
    return -(mean * mean.log()).sum(dim=-1)


def self_label_loss(
    logits: Tensor, labels: Tensor, confident: Tensor, n_clusters: int
) -> Tensor:
    """Class-balanced cross-entropy on the confident images (SCAN, section 2.3).

    Every cluster that has confident images in the batch weighs the same.

    Parameters
    ----------
    logits : Tensor of shape (n, n_clusters)
    labels : int Tensor of shape (n,)
    confident : bool Tensor of shape (n,)
    """
    counts = torch.bincount(labels[confident], minlength=n_clusters)
    weights = confident.float() / counts.clamp_min(1)[labels]
    errors = F.cross_entropy(logits, labels, reduction="none")
    return (weights * errors).sum() / weights.sum().clamp_min(_TINY)
