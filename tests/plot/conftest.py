"""Fitted tiny estimators, and figures that must not be left behind."""

from collections.abc import Callable, Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from invariant_cluster import SimCLREmbedder


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    """Let each test start and leave without figures."""
    assert plt.get_fignums() == []
    yield
    plt.close("all")


@pytest.fixture(scope="session")
def fitted_pipe(
    make_embedder: Callable[..., Any],
    make_clusterer: Callable[..., Any],
    images: np.ndarray,
) -> Pipeline:
    """A fitted embedder and clusterer, to be read only."""
    steps = [
        ("embed", make_embedder()),
        ("cluster", make_clusterer(fine_tune_max_epochs=2)),
    ]
    return Pipeline(steps).fit(images)


@pytest.fixture(scope="session")
def framed_pipe(
    make_embedder: Callable[..., Any],
    make_clusterer: Callable[..., Any],
    images: np.ndarray,
    frame: pd.DataFrame,
) -> Pipeline:
    """The same Pipeline, fitted on the frame."""
    embedder = make_embedder(image_shape=images.shape[1:])
    return Pipeline([("embed", embedder), ("cluster", make_clusterer())]).fit(frame)


@pytest.fixture(scope="session")
def fitted_simclr(images: np.ndarray) -> Any:
    """A fitted embedder that draws nothing."""
    sizes = {"d": 4, "encoder_width": 2, "projection_dim": 4}
    embedder = SimCLREmbedder(
        **sizes, max_epochs=1, batch_size=16, device="cpu", random_state=0
    )
    return embedder.fit(images)
