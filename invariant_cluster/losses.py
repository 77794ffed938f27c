"""Losses and related terms: pure functions of tensors."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

_REDUNDANCY_WEIGHT = 0.01
_VARIANCE_FLOOR = 1e-4
_TINY = 1e-8


def squared_error(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the squared error of reconstructed pixels.

    Parameters
    ----------
    logits : Tensor of shape (n, p, c)
        Logits of the reconstructed values of p pixels.
    targets : Tensor of shape (n, p, c)
        True values, in [0, 1].

    Returns
    -------
    Tensor of shape ()
        ``mean ||J_p - sigmoid(logit_p)||^2`` over images and pixels; the squares are
        summed over channels.

    See Also
    --------
    cross_entropy : Return a loss whose gradient does not vanish with the sigmoid's.

    Notes
    -----
    This is the reconstruction loss of the IRL-INR paper, section 3.3.1.
    """
    return (targets - logits.sigmoid()).square().sum(dim=-1).mean()


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the binary cross-entropy of reconstructed pixels.

    Parameters
    ----------
    logits : Tensor of shape (n, p, c)
        Logits of the reconstructed values of p pixels.
    targets : Tensor of shape (n, p, c)
        True values, in [0, 1].

    Returns
    -------
    Tensor of shape ()
        ``mean -J_p log s_p - (1 - J_p) log(1 - s_p)`` over images and pixels, in nats,
        with s_p the sigmoid of the logits; the terms are summed over channels.

    See Also
    --------
    squared_error : Return the reconstruction loss of the IRL-INR paper.

    Notes
    -----
    Where the sigmoid saturates, the gradient of the squared error vanishes; this one
    does not.
    """
    terms = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return terms.sum(dim=-1).mean()


def cosine_consistency(z1: Tensor, z2: Tensor) -> Tensor:
    """Return the cosine distance between two views of each image.

    Parameters
    ----------
    z1 : Tensor of shape (n, d)
        z of the first views.
    z2 : Tensor of shape (n, d)
        z of the second views.

    Returns
    -------
    Tensor of shape ()
        ``mean 1 - z1 . z2 / (|z1| |z2|)`` over images.

    See Also
    --------
    centered_cosine_consistency : Subtract the mean of the batch first.

    Notes
    -----
    This is the consistency loss of the IRL-INR paper, section 3.3.2. It is 0 also if
    all images have the same z.
    """
    return (1 - F.cosine_similarity(z1, z2, dim=1, eps=_TINY)).mean()


def centered_cosine_consistency(z1: Tensor, z2: Tensor) -> Tensor:
    """Return the cosine distance between views after subtracting the mean of the batch.

    The mean is taken over both views together. A common direction of all z therefore
    does not reduce the loss, as it does without centring.

    Parameters
    ----------
    z1 : Tensor of shape (n, d)
        z of the first views.
    z2 : Tensor of shape (n, d)
        z of the second views.

    Returns
    -------
    Tensor of shape ()
        Mean cosine distance over images.

    See Also
    --------
    cosine_consistency : Return the distance without centring.
    """
    mean = (z1.mean(dim=0) + z2.mean(dim=0)) / 2
    return cosine_consistency(z1 - mean, z2 - mean)


def mse_consistency(z1: Tensor, z2: Tensor) -> Tensor:
    """Return the mean squared difference between two views of each image.

    Parameters
    ----------
    z1 : Tensor of shape (n, d)
        z of the first views.
    z2 : Tensor of shape (n, d)
        z of the second views.

    Returns
    -------
    Tensor of shape ()
        ``mean (z1 - z2)^2`` over images and dimensions.

    See Also
    --------
    cosine_consistency : Return the cosine distance instead.

    Notes
    -----
    Section 4.1 of the IRL-INR paper uses this loss for its results on disentanglement.
    """
    return F.mse_loss(z1, z2)


def cross_correlation_consistency(z1: Tensor, z2: Tensor) -> Tensor:
    """Return the redundancy-reduction loss of Barlow Twins.

    Each dimension of z agrees between the views and is uncorrelated with the others, so
    z cannot collapse onto a few directions.

    Parameters
    ----------
    z1 : Tensor of shape (n, d)
        z of the first views.
    z2 : Tensor of shape (n, d)
        z of the second views.

    Returns
    -------
    Tensor of shape ()
        ``1/d (sum_i (1 - C_ii)^2 + 0.01 sum_{i != j} C_ij^2)``, with C the
        cross-correlation matrix of z1 and z2 over the batch.

    See Also
    --------
    nt_xent_consistency : Prevent collapse by contrast between images instead.

    References
    ----------
    J. Zbontar et al., "Barlow Twins: self-supervised learning via redundancy
    reduction", ICML 2021.
    """
    d = z1.shape[1]
    correlation = _standardize(z1).T @ _standardize(z2) / len(z1)
    diagonal = correlation.diagonal()
    others = correlation.square().sum() - diagonal.square().sum()
    return ((1 - diagonal).square().sum() + _REDUNDANCY_WEIGHT * others) / d


def nt_xent_consistency(z1: Tensor, z2: Tensor, temperature: float = 0.5) -> Tensor:
    """Return the contrastive loss of SimCLR (NT-Xent).

    The two views z and z+ of an image are closer to each other than to the views z' of
    all other images in the batch. z therefore cannot collapse onto one direction, and
    similar images gather.

    Parameters
    ----------
    z1 : Tensor of shape (n, d)
        z of the first views.
    z2 : Tensor of shape (n, d)
        z of the second views.
    temperature : float, default=0.5
        Temperature t. The lower it is, the more the nearest other images dominate the
        loss.

    Returns
    -------
    Tensor of shape ()
        ``mean -log (e^{c(z, z+)/t} / sum_{z'} e^{c(z, z')/t})`` over both views of all
        images, with c the cosine; z' runs over all views but z, z+ included.

    See Also
    --------
    cross_correlation_consistency : Prevent collapse by decorrelated dimensions instead.

    References
    ----------
    T. Chen et al., "A simple framework for contrastive learning of visual
    representations", ICML 2020, equation 1.
    """
    unit = F.normalize(torch.cat([z1, z2]), dim=1, eps=_TINY)
    similarity = unit @ unit.T / temperature
    own = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
    partner = torch.arange(len(unit), device=unit.device).roll(len(z1))
    return F.cross_entropy(similarity.masked_fill(own, -torch.inf), partner)


def _standardize(z: Tensor) -> Tensor:
    """Return z (n, d) with mean 0 and variance near 1 over the batch."""
    centered = z - z.mean(dim=0)
    return centered / (centered.square().mean(dim=0) + _VARIANCE_FLOOR).sqrt()


def effective_dimension(z: Tensor) -> Tensor:
    """Return the number of dimensions that z uses: its participation ratio.

    Parameters
    ----------
    z : Tensor of shape (n, d)
        Semantic representation of a batch.

    Returns
    -------
    Tensor of shape ()
        ``tr(C)^2 / tr(C^2)`` of the covariance C of z, from 1 to d. Near 1, z has
        collapsed onto one direction; it is 0 if z is constant.

    See Also
    --------
    cross_correlation_consistency : Loss that penalises correlated dimensions.
    """
    centered = z - z.mean(dim=0)
    gram = centered @ centered.T
    return gram.trace().square() / gram.square().sum().clamp_min(1e-12)


def symmetry_loss(estimate: Tensor, target: Tensor, has_mass: Tensor) -> Tensor:
    """Return the squared error of pose vectors over the images that have mass.

    Parameters
    ----------
    estimate : Tensor of shape (n, k)
        Pose vectors that the head estimates.
    target : Tensor of shape (n, k)
        Pose vectors that the symmetry-breaking rule prescribes.
    has_mass : Tensor of shape (n,), bool
        Whether an image has mass. A blank image has no pose and contributes no loss.

    Returns
    -------
    Tensor of shape ()
        ``mean ||target - estimate||^2`` over the images with mass; 0 if there are none.

    Notes
    -----
    This is the symmetry-breaking loss of the IRL-INR paper, section 3.4.
    """
    errors = (target - estimate).square().sum(dim=1)
    return (errors * has_mass).sum() / has_mass.sum().clamp_min(1)


def gaussian_divergence(mean: Tensor, log_std: Tensor, prior_std: float) -> Tensor:
    """Return the KL divergence of N(m, s^2) from N(0, s_0^2), elementwise.

    Parameters
    ----------
    mean : Tensor
        Means m.
    log_std : Tensor
        Natural logarithms of the standard deviations s, of the same shape.
    prior_std : float
        Standard deviation s_0 of the prior, above 0.

    Returns
    -------
    Tensor of the same shape
        ``log(s_0 / s) + (s^2 + m^2) / (2 s_0^2) - 1/2``, in nats.
    """
    log_ratio = log_std - math.log(prior_std)
    scaled = (mean / prior_std).square() + (2 * log_ratio).exp()
    return 0.5 * (scaled - 1) - log_ratio


def scan_consistency(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Return how much an image and its neighbour differ in their cluster probabilities.

    Parameters
    ----------
    log_p : Tensor of shape (..., n, n_clusters)
        Log-probabilities p of the images.
    log_q : Tensor of shape (..., n, n_clusters)
        Log-probabilities q of one neighbour of each image.

    Returns
    -------
    Tensor of shape (...)
        ``mean -log <p, q>`` over the n pairs.

    See Also
    --------
    mean_entropy : Return the second term of SCAN's loss.

    References
    ----------
    W. Van Gansbeke et al., "SCAN: learning to classify images without labels", ECCV
    2020, equation 2.
    """
    return -torch.logsumexp(log_p + log_q, dim=-1).mean(dim=-1)


def mean_entropy(log_p: Tensor) -> Tensor:
    """Return the entropy of the mean cluster probabilities of a batch.

    SCAN maximises it, so that images spread over the clusters.

    Parameters
    ----------
    log_p : Tensor of shape (..., n, n_clusters)
        Log-probabilities of n images.

    Returns
    -------
    Tensor of shape (...)
        ``-sum_c m_c log m_c`` in nats, with m the mean probabilities.

    See Also
    --------
    scan_consistency : Return the first term of SCAN's loss.
    """
    mean = log_p.exp().mean(dim=-2).clamp_min(_TINY)
    return -(mean * mean.log()).sum(dim=-1)


def self_label_loss(
    logits: Tensor, labels: Tensor, confident: Tensor, n_clusters: int
) -> Tensor:
    """Return the class-balanced cross-entropy on confidently labelled images.

    Every cluster that has confident images in the batch has the same weight, so large
    clusters do not dominate.

    Parameters
    ----------
    logits : Tensor of shape (n, n_clusters)
        Logits of augmented images.
    labels : Tensor of shape (n,), int64
        Cluster of each image.
    confident : Tensor of shape (n,), bool
        Images that count.
    n_clusters : int
        Number of clusters.

    Returns
    -------
    Tensor of shape ()
        Weighted mean of the cross-entropy, in nats; 0 if no image is confident.

    References
    ----------
    W. Van Gansbeke et al., "SCAN: learning to classify images without labels", ECCV
    2020, section 2.3.
    """
    chosen = confident.float()
    counts = chosen.new_zeros(n_clusters).index_add(0, labels, chosen)
    weights = chosen / counts.clamp_min(1)[labels]
    errors = F.cross_entropy(logits, labels, reduction="none")
    return (weights * errors).sum() / weights.sum().clamp_min(_TINY)


def pair_agreement(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Return how probably two rows share a cluster, averaged over heads.

    Parameters
    ----------
    log_p : Tensor of shape (n_heads, n, n_clusters)
        Log-probabilities p of n rows.
    log_q : Tensor of shape (n_heads, n, n_clusters)
        Log-probabilities q of their partners.

    Returns
    -------
    Tensor of shape (n,)
        ``mean_h <p_h, q_h>``, from 0 to 1.

    See Also
    --------
    pair_information : Return the term that TEMI weighs with it.

    References
    ----------
    N. Adaloglou et al., "Exploring the limits of deep image clustering using pretrained
    models", BMVC 2023: the weight of a pair.
    """
    return (log_p + log_q).exp().sum(dim=-1).mean(dim=0)


def pair_information(
    log_p: Tensor, log_q: Tensor, log_prior: Tensor, beta: float
) -> Tensor:
    """Return the pointwise mutual information of pairs of rows.

    Parameters
    ----------
    log_p : Tensor of shape (n_heads, n, n_clusters)
        Log-probabilities p of n rows, by the student.
    log_q : Tensor of shape (n_heads, n, n_clusters)
        Log-probabilities q of their partners, by the teacher.
    log_prior : Tensor of shape (n_heads, n_clusters)
        Logarithm of the mean probabilities m.
    beta : float
        Power, above 0.5 and at most 1. At 1 this is the pointwise mutual information.

    Returns
    -------
    Tensor of shape (n_heads, n)
        ``log sum_c (p_c q_c)^beta / m_c``, in nats.

    See Also
    --------
    pair_agreement : Return the weight of a pair.

    References
    ----------
    N. Adaloglou et al., "Exploring the limits of deep image clustering using pretrained
    models", BMVC 2023: the variant of pointwise mutual information.
    """
    return torch.logsumexp(beta * (log_p + log_q) - log_prior[:, None], dim=-1)


# The losses that parameters of estimators name; a new one is a row here.
RECONSTRUCTIONS: dict[str, Callable[..., Tensor]] = {
    "cross_entropy": cross_entropy,
    "squared_error": squared_error,
}
CONSISTENCIES: dict[str, Callable[..., Tensor]] = {
    "nt_xent": nt_xent_consistency,
    "cross_correlation": cross_correlation_consistency,
    "centered_cosine": centered_cosine_consistency,
    "cosine": cosine_consistency,
    "mse": mse_consistency,
}
