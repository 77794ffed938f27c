"""Two-dimensional maps of an embedding."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from invariant_cluster.validation import check_choice

METHODS = ("pca", "tsne", "umap")
_PERPLEXITY = 30.0


def map_to_plane(
    z: ArrayLike,
    *,
    method: str = "tsne",
    random_state: int | np.random.RandomState | None = None,
) -> NDArray[np.float32]:
    """Return a place in the plane for each row of z, near for rows that are alike.

    Parameters
    ----------
    z : array-like of shape (n, d)
    method : {"pca", "tsne", "umap"}, default="tsne"
        Principal components; t-SNE (van der Maaten and Hinton, 2008); UMAP (McInnes et
        al., 2018), which needs the package umap-learn.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    ndarray of shape (n, 2), float32

    Raises
    ------
    ValueError
        Unknown method; fewer than 2 rows.
    ImportError
        UMAP without umap-learn.
    """
    check_choice("method", method, METHODS)
    rows = np.asarray(z, dtype=np.float32)
    if len(rows) < 2:
        raise ValueError(f"z has {len(rows)} row(s): a map needs at least 2.")
    if rows.shape[1] == 1:
        rows = np.column_stack([rows, np.zeros_like(rows)])
    mapper = _make_mapper(method, len(rows), random_state)
    return np.asarray(mapper.fit_transform(rows), dtype=np.float32)


def _make_mapper(method: str, n: int, random_state: Any) -> Any:
    if method == "pca":
        return PCA(2, random_state=random_state)
    if method == "tsne":
        perplexity = min(_PERPLEXITY, (n - 1) / 3)
        return TSNE(2, perplexity=perplexity, init="pca", random_state=random_state)
    try:
        from umap import UMAP
    except ImportError as error:
        raise ImportError(
            "method='umap' needs umap-learn: pip install umap-learn, or take 'tsne'."
        ) from error
    return UMAP(n_components=2, random_state=random_state)
