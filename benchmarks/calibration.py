"""How far probabilities are from the share of images that they are right about."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from invariant_cluster.metrics import match_labels

N_BINS = 15


def measure_calibration(
    clusterer: Any, rows: Any, classes: NDArray
) -> dict[str, float]:
    """Return the expected calibration error of a clusterer, and before it softened.

    Parameters
    ----------
    clusterer : fitted clusterer
        Without ``temperature_`` nothing is measured.
    rows : ImageEmbedding or ndarray of shape (n, d)
        Not those of training.
    classes : ndarray of shape (n,)
        A cluster is right where its matched class is.
    """
    if not hasattr(clusterer, "temperature_"):
        return {}
    log_p = clusterer.predict_log_proba(rows).astype(float)
    before = softmax(clusterer.temperature_ * log_p, axis=1)
    is_right = match_labels(classes, log_p.argmax(axis=1)) == classes
    return {
        "temperature": clusterer.temperature_,
        "test_confidence": float(np.exp(log_p.max(axis=1)).mean()),
        "test_calibration_error": calibration_error(np.exp(log_p), is_right),
        "test_calibration_error_before": calibration_error(before, is_right),
    }


def calibration_error(p: NDArray, is_right: NDArray) -> float:
    """Return the mean gap between confidence and accuracy over bins of confidence.

    The expected calibration error of Naeini et al. (AAAI 2015), in 15 bins.
    """
    confidence = p.max(axis=1)
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    gaps = [
        abs((confidence[bins == number] - is_right[bins == number]).sum())
        for number in np.unique(bins)
    ]
    return float(sum(gaps) / len(p))
