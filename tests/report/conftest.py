"""Pipelines and reports that the tests of the report share."""

import numpy as np
import pytest
from sklearn.pipeline import Pipeline

from invariant_cluster import cluster_report

NAMES = np.array(["<script>alert(1)</script>", 'O\'Hara & "sons"', "ünï ✓"])


@pytest.fixture(scope="session")
def names(digits):
    """Classes of the digits, by names that HTML has to escape."""
    return NAMES[digits[1] % len(NAMES)]


@pytest.fixture(scope="session")
def pipe(make_embedder, make_clusterer, images):
    """An IRL-INR embedder with SCAN, fine-tuned, on the digits."""
    steps = [("embed", make_embedder(max_epochs=2)), ("cluster", make_clusterer())]
    return Pipeline(steps).fit(images)


@pytest.fixture(scope="session")
def report(pipe, images, names, tmp_path_factory):
    """A report of that pipeline, with classes."""
    folder = tmp_path_factory.mktemp("report")
    return cluster_report(pipe, images, names, folder / "report.html")
