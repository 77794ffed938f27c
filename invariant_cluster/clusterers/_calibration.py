"""Probabilities that are as sure as neighbours justify."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

_HOTTEST = 10.0
_LEAST = -80.0  # of a log-probability; its exponential is a float32


def find_temperature(log_p: NDArray, neighbors: NDArray) -> float:
    """Return the temperature at which rows foretell their neighbours' clusters best.

    Parameters
    ----------
    log_p : ndarray of shape (n, n_clusters)
        Log-probabilities of the training rows.
    neighbors : int ndarray of shape (n, k)
        Indices of their neighbours.

    Returns
    -------
    float
        From 1 to 10. It maximises the log-likelihood of the neighbours' most probable
        clusters (Guo et al., ICML 2017, who have labels).

    Notes
    -----
    Neighbours share many mistakes of the clusters, so probabilities may stay too high.
    They are never sharpened: neighbours that agree do not show that clusters are right.
    """
    log_p = np.maximum(log_p, _LEAST)
    shares = _cluster_shares(log_p.argmax(axis=1)[neighbors], log_p.shape[1])

    def surprise(log_temperature: float) -> float:
        softened = at_temperature(log_p, math.exp(log_temperature))
        return -float(np.vdot(shares, softened))

    found = minimize_scalar(
        surprise, bounds=(0.0, math.log(_HOTTEST)), method="bounded"
    )
    return 1.0 if surprise(0.0) <= found.fun else math.exp(found.x)


def at_temperature(log_p: NDArray, temperature: float) -> NDArray:
    """Return the log-probabilities (n, n_clusters) divided by it and normalised."""
    return log_p if temperature == 1 else log_softmax(log_p / temperature, axis=1)


def log_of(p: NDArray) -> NDArray:
    """Return the logarithm of probabilities, finite at 0."""
    return np.log(np.maximum(p, np.exp(_LEAST)))


def _cluster_shares(labels: NDArray, n_clusters: int) -> NDArray[np.float64]:
    """Return which share of each row of labels (n, k) each cluster has."""
    shares = [(labels == cluster).mean(axis=1) for cluster in range(n_clusters)]
    return np.stack(shares, axis=1)
