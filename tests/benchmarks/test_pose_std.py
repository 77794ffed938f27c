"""The comparison of predicted with true spreads of angles."""

import numpy as np
import pytest

from benchmarks import pose_std


def test_right_spreads_agree_and_nan_is_counted():
    random = np.random.default_rng(0)
    std = np.repeat([0.05, 0.1, 0.2, np.nan], 500)
    error = random.normal(0, 1, 2000) * np.sqrt(2) * np.nan_to_num(std, nan=50.0)
    row = pose_std.compare(np.angle(np.exp(1j * error)), std, std)
    assert row["predicted"] == pytest.approx(row["true"], rel=0.1)
    assert row["nan"] == 0.25
    assert row["far_of_known"] == 0
    assert row["far_of_nan"] == pytest.approx(0.5, abs=0.08)
    text = pose_std.show({"dataset": "cells", "snr": 1.0, "of": "x"} | row)
    assert "NaN 25.0%" in text


def test_images_are_turned_and_measured():
    y, x = np.mgrid[:16, :16]
    wedge = ((x > 3) & (x < 13) & (abs(y - 8) < x / 4)) * 200
    images = np.repeat(wedge[None], 60, axis=0).astype(np.uint8)
    embedder = pose_std.make_embedder(pose_std.RULE)
    row = pose_std.measure_one(embedder, images, images[:30], np.inf)
    assert row["nan"] == 0
    assert max(row["true"]) < 10
    assert row["far_of_nan"] is None
