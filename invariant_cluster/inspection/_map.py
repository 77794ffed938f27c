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
    """Return a two-dimensional map of an embedding in which similar rows are near.

    Parameters
    ----------
    z : array-like of shape (n, d)
        Rows to map, at least 2.
    method : {"pca", "tsne", "umap"}, default="tsne"
        Principal components, t-SNE or UMAP. UMAP needs the package umap-learn.
    random_state : int, RandomState instance or None, default=None
        Seed of the method.

    Returns
    -------
    ndarray of shape (n, 2), float32
        Position of each row, in arbitrary units.

    Raises
    ------
    ValueError
        If ``method`` is unknown, or there are fewer than 2 rows.
    ImportError
        If ``method`` is "umap" and umap-learn is not installed.

    Notes
    -----
    Rows that are all equal get position 0. t-SNE starts from the principal components.
    Its perplexity is 30, or (n - 1) / 3 for fewer than 91 rows.

    References
    ----------
    L. van der Maaten and G. Hinton, "Visualizing data using t-SNE", Journal of Machine
    Learning Research 9, 2008.

    L. McInnes et al., "UMAP: Uniform manifold approximation and projection", Journal of
    Open Source Software 3, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster.inspection import map_to_plane
    >>> map_to_plane(np.eye(5), method="pca").shape
    (5, 2)
    """
    check_choice("method", method, METHODS)
    rows = np.asarray(z, dtype=np.float32)
    if len(rows) < 2:
        raise ValueError(f"z has {len(rows)} row(s): a map needs at least 2, add rows.")
    if np.ptp(rows, axis=0).max() == 0:  # t-SNE crashes on rows that are all equal
        return np.zeros((len(rows), 2), dtype=np.float32)
    if rows.shape[1] == 1:
        rows = np.column_stack([rows, np.zeros_like(rows)])
    mapper = _make_mapper(method, len(rows), random_state)
    return np.asarray(mapper.fit_transform(rows), dtype=np.float32)


def _make_mapper(method: str, n: int, random_state: Any) -> Any:
    """Return the unfitted transformer of a method."""
    if method == "pca":
        return PCA(2, random_state=random_state)
    if method == "tsne":
        perplexity = min(_PERPLEXITY, (n - 1) / 3)
        return TSNE(2, perplexity=perplexity, init="pca", random_state=random_state)
    try:
        from umap import UMAP
    except ImportError as error:
        raise ImportError(
            "method='umap' needs umap-learn, which is not installed: pip install "
            "umap-learn, or use method='tsne'."
        ) from error
    return UMAP(n_components=2, random_state=random_state)
