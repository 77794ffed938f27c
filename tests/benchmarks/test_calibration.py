"""The calibration error of the benchmark, against loops."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from benchmarks.calibration import N_BINS, calibration_error, measure_calibration


class Fixed:
    """A fitted clusterer that says the same, whatever the rows."""

    temperature_ = 2.0

    def __init__(self, log_p):
        self.log_p = log_p

    def predict_log_proba(self, rows):
        return self.log_p


def naive_error(p, is_right):
    total = 0.0
    for low in np.arange(N_BINS) / N_BINS:
        inside = [
            (row.max(), right)
            for row, right in zip(p, is_right, strict=True)
            if low <= row.max() < low + 1 / N_BINS
        ]
        if inside:
            confidence, share = np.mean(inside, axis=0)
            total += len(inside) / len(p) * abs(confidence - share)
    return total


def test_the_error_equals_its_naive_twin():
    random = np.random.default_rng(0)
    p = softmax(2 * random.normal(size=(300, 4)), axis=1)
    is_right = random.random(300) < 0.6
    assert calibration_error(p, is_right) == pytest.approx(naive_error(p, is_right))


def test_sure_and_right_is_no_error_and_sure_and_wrong_is_all():
    p = np.eye(3)
    assert calibration_error(p, np.ones(3, bool)) == 0
    assert calibration_error(p, np.zeros(3, bool)) == 1


def test_clusters_are_matched_and_the_temperature_undone():
    random = np.random.default_rng(0)
    log_p = log_softmax(random.normal(size=(200, 3)), axis=1)
    classes = (log_p.argmax(axis=1) + 1) % 3
    classes[:20] = 0
    measured = measure_calibration(Fixed(log_p), np.empty((200, 2)), classes)
    is_right = (log_p.argmax(axis=1) + 1) % 3 == classes
    before = softmax(2 * log_p, axis=1)
    assert measured == {
        "temperature": 2.0,
        "test_confidence": np.exp(log_p.max(axis=1)).mean(),
        "test_calibration_error": calibration_error(np.exp(log_p), is_right),
        "test_calibration_error_before": calibration_error(before, is_right),
    }


def test_clusterers_without_a_temperature_are_not_measured():
    assert measure_calibration(object(), None, np.zeros(3)) == {}
