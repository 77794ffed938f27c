"""The array-like that an embedder hands to the next step: z with its images."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import ArrayLike, DTypeLike, NDArray

_FIXED = (
    "An ImageEmbedding cannot be changed in place, since its rows belong to its "
    "images: change a copy, z = np.array(z)."
)


class ImageEmbedding(NDArrayOperatorsMixin):
    """Representations z, float32 (n, d), with their images and their encoder.

    A Pipeline hands only one object from step to step. This one lets a clusterer behind
    an embedder fine-tune a copy of the encoder on the images. It converts to a NumPy
    array wherever one is expected: ``np.asarray(z)``, scikit-learn estimators and NumPy
    functions take it as it is.

    Row selections (slices, index arrays, boolean masks) keep images and encoder, so
    that cross-validation of a clusterer fine-tunes in each fold. Everything else that
    is derived from z, a column or a sum, is a plain array. Pickles and deep copies keep
    z, images and encoder.

    What ``transform`` of an embedder returns computes z at its first use. A fine-tuned
    ``SCANClusterer`` needs the images alone, so that ``predict`` of a Pipeline runs one
    encoder, not two.

    Parameters
    ----------
    z : array-like of shape (n, d)
        Representations; not copied if they are a float32 array already.
    images : ndarray of n images, optional
        The images as the user gave them. They are held as a reference, not copied.
    encoder : nn.Module, optional
        Maps a batch of raw images (n, c, h, w) to z, preprocessing included.

    Attributes
    ----------
    images : ndarray or None
    encoder : nn.Module or None
    shape : (n, d)
    dtype : float32

    Raises
    ------
    ValueError
        When z has another number of rows than the images, or is not 2-D.

    See Also
    --------
    SCANClusterer : Clusters an embedding and fine-tunes its encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster import ImageEmbedding
    >>> z = ImageEmbedding(np.eye(3), images=np.zeros((3, 8, 8)))
    >>> z[1:].images.shape
    (2, 8, 8)
    >>> type(z.mean(axis=0)).__name__
    'ndarray'
    """

    def __init__(
        self, z: ArrayLike, images: NDArray | None = None, encoder: Any = None
    ) -> None:
        rows = np.asarray(z, dtype=np.float32)
        if rows.ndim != 2:
            raise ValueError(f"z has shape {rows.shape}: give rows of shape (n, d).")
        if images is not None and len(images) != len(rows):
            raise ValueError(
                f"images has {len(images)} rows but z has {len(rows)}: give one image "
                "for each row."
            )
        self._rows: NDArray[np.float32] | None = rows
        self._encode: Callable[[], NDArray[np.float32]] | None = None
        self.shape: tuple[int, int] = rows.shape
        self.images = images
        self.encoder = encoder

    @classmethod
    def deferred(
        cls,
        encode: Callable[[], NDArray[np.float32]],
        d: int,
        images: NDArray,
        encoder: Any,
    ) -> ImageEmbedding:
        """Return an embedding whose z is computed at its first use.

        Parameters
        ----------
        encode : callable
            Returns z (n, d), float32; called at most once.
        d : int
            Dimension of z.
        images : ndarray of n images
        encoder : nn.Module
        """
        embedding = cls.__new__(cls)
        embedding._rows, embedding._encode = None, encode
        embedding.shape = (len(images), d)
        embedding.images, embedding.encoder = images, encoder
        return embedding

    dtype = np.dtype(np.float32)
    ndim = 2

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray:
        """Return z, computed now if it was not used before."""
        if self._rows is None:
            assert self._encode is not None
            self._rows, self._encode = self._encode(), None
        wanted = self.dtype if dtype is None else np.dtype(dtype)
        return self._rows.astype(wanted, copy=bool(copy))

    def __array_ufunc__(
        self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        """Compute on plain arrays, so that results are plain."""
        if any(isinstance(out, ImageEmbedding) for out in kwargs.get("out", ())):
            raise TypeError(_FIXED)
        return getattr(ufunc, method)(*map(_plain, inputs), **kwargs)

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of z as an array, such as ``mean`` or ``T``."""
        if name.startswith("_"):  # protocols that copy and pickle look for these
            raise AttributeError(name)
        return getattr(np.asarray(self), name)

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        return iter(np.asarray(self))

    def __getitem__(self, key: Any) -> Any:
        """Return rows with their images, or anything else as a plain array."""
        selected = np.asarray(self)[key]
        rows = key[0] if isinstance(key, tuple) and key[1:] == (...,) else key
        if self.images is None or not _selects_rows(rows):
            return selected
        return ImageEmbedding(selected, np.asanyarray(self.images)[rows], self.encoder)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TypeError(_FIXED)

    def __repr__(self) -> str:
        return f"ImageEmbedding({np.asarray(self)!r})"

    def __deepcopy__(self, memo: dict[int, Any] | None) -> ImageEmbedding:
        """Copy z, images and encoder."""
        images, encoder = copy.deepcopy((self.images, self.encoder), memo)
        return ImageEmbedding(np.array(self), images, encoder)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle z, images and encoder together."""
        return ImageEmbedding, (np.asarray(self), self.images, self.encoder)


def take_rows(X: Any, rows: NDArray) -> Any:
    """Return rows of X in the form of X.

    Parameters
    ----------
    X : array-like of n rows
        Rows of an ImageEmbedding keep their images, rows of a DataFrame their labels.
    rows : int ndarray of shape (m,)

    Returns
    -------
    ImageEmbedding, DataFrame or ndarray of m rows
    """
    if isinstance(X, pd.DataFrame):
        return X.iloc[rows]
    return X[rows] if isinstance(X, ImageEmbedding) else np.asarray(X)[rows]


def _selects_rows(key: Any) -> bool:
    """Tell whether an index selects rows: a slice, an index array or a mask."""
    if isinstance(key, slice):
        return True
    if isinstance(key, list | np.ndarray):
        array = np.asarray(key)
        return array.ndim == 1 and array.dtype.kind in "biu"
    return False


def _plain(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, ImageEmbedding) else value
