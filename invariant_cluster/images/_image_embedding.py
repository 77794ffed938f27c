"""The array that an embedder hands to the next step, and rows of any."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray


class ImageEmbedding(np.ndarray):
    """Representations z, float32 (n, d), that remember their images and encoder.

    A clusterer behind an embedder can so fine-tune a copy of the encoder on the images,
    though a Pipeline hands on nothing but an array. Slices, copies and arithmetic give
    plain arrays; pickling keeps all three.

    Parameters
    ----------
    z : array-like of shape (n, d)
    images : ndarray of n images, as the user gave them
        Held as a reference, not copied.
    encoder : nn.Module
        Maps a batch of raw images (n, c, h, w) to z, preprocessing included.

    Attributes
    ----------
    images : ndarray or None
    encoder : nn.Module or None
    """

    images: NDArray | None
    encoder: Any

    def __new__(
        cls, z: ArrayLike, images: NDArray | None = None, encoder: Any = None
    ) -> ImageEmbedding:
        """View z, without a copy where it is float32 already."""
        rows = np.asarray(z, dtype=np.float32)
        if images is not None and len(images) != len(rows):
            raise ValueError(
                f"images has {len(images)} rows but z has {len(rows)}: give one image "
                "for each row."
            )
        embedding = rows.view(cls)
        embedding.images = images
        embedding.encoder = encoder
        return embedding

    def __array_finalize__(self, source: Any) -> None:
        """Whatever NumPy derives from an embedding forgets images and encoder."""
        self.images = None
        self.encoder = None

    def __array_ufunc__(
        self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        """Compute on plain arrays, so that results are plain."""
        plain = [_plain(value) for value in inputs]
        if "out" in kwargs:
            kwargs["out"] = tuple(_plain(value) for value in kwargs["out"])
        return getattr(ufunc, method)(*plain, **kwargs)

    def __getitem__(self, key: Any) -> Any:
        """Return a plain slice: its rows no longer match the images."""
        return self.view(np.ndarray)[key]

    def copy(self, order: Any = "C") -> NDArray:  # type: ignore[override]
        """Return a plain copy."""
        return self.view(np.ndarray).copy(order)

    def __deepcopy__(self, memo: dict[int, Any] | None) -> ImageEmbedding:
        """Copy z, images and encoder; ndarray's own would forget the latter two."""
        z = self.view(np.ndarray).copy()
        images, encoder = copy.deepcopy((self.images, self.encoder), memo)
        return ImageEmbedding(z, images, encoder)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle z, images and encoder together."""
        return ImageEmbedding, (self.view(np.ndarray), self.images, self.encoder)


def take_rows(X: Any, rows: NDArray) -> Any:
    """Return rows of X, as what X is.

    Parameters
    ----------
    X : array-like of n rows
        Rows of an ImageEmbedding keep their images, those of a DataFrame their names.
    rows : int ndarray of shape (m,)
    """
    if isinstance(X, ImageEmbedding) and X.images is not None:
        return ImageEmbedding(X[rows], X.images[rows], X.encoder)
    if isinstance(X, pd.DataFrame):
        return X.iloc[rows]
    return np.asarray(X)[rows]


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, ImageEmbedding) else value
