"""Probabilities that are as sure as neighbours justify."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

_HOTTEST = 10.0


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
    Neighbours agree at least as often as clusters are right, so what they show is
    overconfidence alone: the temperature is never below 1.
    """
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


def untempered(p: NDArray, temperature: float) -> NDArray:
    """Return probabilities (n, n_clusters) as they were at temperature 1."""
    if temperature == 1:
        return p
    powers = p**temperature
    return powers / powers.sum(axis=1, keepdims=True)


def _cluster_shares(labels: NDArray, n_clusters: int) -> NDArray[np.float64]:
    """Return which share of each row of labels (n, k) each cluster has."""
    one_hot = [(labels == cluster).mean(axis=1) for cluster in range(n_clusters)]
    return np.stack(one_hot, axis=1)
