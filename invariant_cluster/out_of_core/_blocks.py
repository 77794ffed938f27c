"""Prediction of consecutive images in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.drift import one_warning
from invariant_cluster.inspection import predict_clusters

# Of a block: enough images to repay the start of a prediction, little memory for them
# and for the representations between the steps of a pipeline.
_MOST_ROWS = 8192
_MOST_BYTES = 2**26


class Clusters(NamedTuple):
    """Clusters of images.

    Attributes
    ----------
    labels : ndarray of shape (n,), int32
        Cluster of each image.
    confidence : ndarray of shape (n,), float32, or None
        Probability of the cluster; None if the model has no probabilities.
    """

    labels: NDArray[np.int32]
    confidence: NDArray[np.float32] | None


def predict_rows(
    model: Any,
    images: Any,
    start: int,
    stop: int,
    advance: Callable[[int], Any] = lambda n_images: None,
) -> Clusters:
    """Return the clusters of consecutive images, read a block at a time.

    Parameters
    ----------
    model : fitted clusterer or Pipeline
        Model to query.
    images : array-like of n images
        All images.
    start, stop : int
        First row, and row after the last.
    advance : callable, optional
        Called with the number of images after each block.

    Returns
    -------
    Clusters
        Labels, and the confidence if the model has probabilities.

    Raises
    ------
    ValueError
        If the model does not take the images; the message names the rows.

    Warns
    -----
    DriftWarning
        If images are unlike the training images, once.
    """
    blocks = []
    step = block_rows(images)
    with one_warning():
        for first in range(start, stop, step):
            last = min(first + step, stop)
            blocks.append(_predict_block(model, images, first, last))
            advance(last - first)
    confidences = [block.confidence for block in blocks if block.confidence is not None]
    return Clusters(
        np.concatenate([block.labels for block in blocks]),
        np.concatenate(confidences) if confidences else None,
    )


def block_rows(images: Any) -> int:
    """Return the number of images of a block.

    Parameters
    ----------
    images : array-like of n images
        All images; only shape and dtype are read.

    Returns
    -------
    int
        At most 8192, at most 64 MiB of images, at least 1.
    """
    n_values = int(np.prod(images.shape[1:], dtype=np.int64))
    per_row = max(1, n_values * np.dtype(images.dtype).itemsize)
    return max(1, min(_MOST_ROWS, _MOST_BYTES // per_row))


def _predict_block(model: Any, images: Any, start: int, stop: int) -> Clusters:
    """Return the clusters of one block; errors name its rows."""
    block = np.asarray(images[start:stop])
    try:
        labels, probabilities = predict_clusters(model, block)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"Images {start} to {stop - 1}, numbered from 0 in what follows: {error}"
        ) from error
    confidence = None if probabilities is None else probabilities.max(axis=1)
    return Clusters(
        labels.astype(np.int32),
        None if confidence is None else confidence.astype(np.float32),
    )
